import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ready, tf } from "../../src/runtime/index.ts";
import { leaves, parameterList, parameters } from "../../src/tensor/index.ts";
import { adafactor, adagrad, adam, ema, lion, type Optimizer, rmsProp } from "../../src/train/index.ts";
import { assertClose } from "../nn/reference.ts";
import { expected, gradientTrees, startParameters } from "./reference.ts";

before(ready);

type Parameters = ReturnType<typeof startParameters>;

const makers: Record<string, (parameters: Parameters) => Optimizer> = {
  lion: (p) => lion(p, { learningRate: 1e-2 }),
  lionDecay: (p) => lion(p, { learningRate: 1e-2, betas: [0.95, 0.98], weightDecay: 0.1 }),
  rmsProp: (p) => rmsProp(p),
  rmsPropMomentum: (p) => rmsProp(p, { alpha: 0.9, epsilon: 1e-6, weightDecay: 0.1, momentum: 0.9 }),
  rmsPropCentered: (p) => rmsProp(p, { centered: true }),
  adagrad: (p) => adagrad(p),
  adagradDecay: (p) => adagrad(p, { learningRate: 0.1, rateDecay: 0.1, weightDecay: 0.1, initialAccumulator: 0.5 }),
  adafactor: (p) => adafactor(p),
  adafactorLarge: (p) =>
    adafactor(p, {
      learningRate: 10,
      beta2Decay: -0.5,
      epsilon: [1e-6, 1e-2],
      clipThreshold: 2,
      weightDecay: 0.01,
    }),
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name} takes the same ten steps as PyTorch`, () => {
    const p = startParameters();
    const optimizer = make(p);
    for (const gradients of gradientTrees()) optimizer.step(gradients);
    for (const { path, tensor } of leaves(p))
      assertClose(tensor, expected.optimizers[name]!.parameters[path]!, 1e-6, `${name}: ${path}`);
  });

  test(`${name} continues from its state with the same bits`, () => {
    const [straight, resumed] = [startParameters(), startParameters()];
    const whole = make(straight);
    for (const gradients of gradientTrees()) whole.step(gradients);
    const first = make(resumed);
    for (const gradients of gradientTrees().slice(0, 5)) first.step(gradients);
    const second = make(resumed);
    second.loadStateDict(first.stateDict());
    for (const gradients of gradientTrees().slice(5)) second.step(gradients);
    assert.deepEqual(
      leaves(resumed).map(({ tensor }) => tensor.dataSync()),
      leaves(straight).map(({ tensor }) => tensor.dataSync()),
    );
  });
}

test("adafactor stores a row and a column for each matrix, where Adam stores two matrices", () => {
  const p = parameters({ weight: tf.zeros([300, 200]), bias: tf.zeros([200]) });
  assert.equal(adafactor(p).bytes, 4 * (300 + 200 + 200));
  assert.equal(adam(p).bytes, 4 * 2 * (300 * 200 + 200));
  assert.equal(lion(p).bytes, 4 * (300 * 200 + 200));
  assert.equal(adafactor({ bias: p.bias }).bytes, 4 * 200);
});

test("optimizers reject invalid options", () => {
  const p = startParameters();
  assert.throws(() => adafactor(p, { beta2Decay: 0.8 }), /beta2Decay must be 0 or less, got 0\.8/);
  assert.throws(() => adafactor(p, { clipThreshold: 0.5 }), /clipThreshold must be 1 or more, got 0\.5/);
  assert.throws(() => lion(p, { weightDecay: -1 }), /weightDecay must be 0 or more, got -1/);
});

describe("ema", () => {
  const start = () => ({
    weight: tf.variable(startParameters().encoder.weight),
    mean: tf.variable(startParameters().encoder.bias, false),
  });
  const advance = ({ weight, mean }: ReturnType<typeof start>, step: number) => {
    weight.assign(tf.sub(weight, tf.mul(gradientTrees()[step]!.encoder.weight, 0.1)));
    mean.assign(tf.add(mean, 0.5));
  };

  test("averages as PyTorch's AveragedModel, and copies what is not trainable", () => {
    const p = start();
    const average = ema(p, { decay: 0.9 });
    for (const [step, { weight, mean }] of expected.averages.entries()) {
      advance(p, step);
      average.update();
      assertClose(average.parameters.weight, weight, 1e-6, `weight after step ${step}`);
      assertClose(average.parameters.mean, mean, 1e-6, `mean after step ${step}`);
    }
    assert.equal(average.updates, expected.averages.length);
    assert.deepEqual(
      parameterList(average.parameters).map(({ variable }) => variable.trainable),
      [true, false],
    );
  });

  test("swaps the averages into the model and back", () => {
    const p = start();
    const average = ema(p, { decay: 0.9 });
    for (const step of [0, 1, 2]) {
      advance(p, step);
      average.update();
    }
    const [own, averaged] = [p.weight.dataSync().slice(), average.parameters.weight.dataSync().slice()];
    average.swap();
    assert.deepEqual(p.weight.dataSync(), averaged);
    assert.deepEqual(average.parameters.weight.dataSync(), own);
    average.swap();
    assert.deepEqual(p.weight.dataSync(), own);
  });

  test("refuses what is no saved state, in one sentence", () => {
    const average = ema(start());
    const expected = "ema: loadStateDict expects what stateDict gave, { updates, parameters }, updates an integer, got";
    assert.throws(() => average.loadStateDict(null as never), { name: "TypeError", message: `${expected} null` });
    assert.throws(() => average.loadStateDict({ updates: 1 } as never), { message: `${expected} { updates }` });
  });

  test("continues from a saved state", () => {
    const p = start();
    const [straight, first] = [ema(p, { decay: 0.9 }), ema(p, { decay: 0.9 })];
    advance(p, 0);
    straight.update();
    first.update();
    const second = ema(start(), { decay: 0.9 });
    const state = first.stateDict();
    first.update();
    const onward = ema(p, { decay: 0.9 });
    onward.loadStateDict(state);
    second.loadStateDict(state);
    advance(p, 1);
    straight.update();
    onward.update();
    assert.deepEqual(onward.parameters.weight.dataSync(), straight.parameters.weight.dataSync());
    assert.equal(onward.updates, 2);
    assert.throws(
      () => ema({ weight: tf.variable(tf.zeros([2])) }).loadStateDict(state),
      /there is no parameter mean; weight has the shape \[2\], \[3, 4\] in the state/,
    );
  });

  test("rejects a decay outside [0, 1], and trees without parameters", () => {
    assert.throws(() => ema(start(), { decay: 1.5 }), /ema: decay must lie between 0 and 1, got 1\.5/);
    assert.throws(() => ema({}), /ema: expected at least one parameter, got none/);
  });
});
