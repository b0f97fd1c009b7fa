import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, GradScaler, type GradScalerState } from "../../src/amp/index.ts";
import { interceptOps, ready, tf } from "../../src/runtime/index.ts";
import { to } from "../../src/storage/index.ts";
import { adamW, sgd, valueAndGradients } from "../../src/train/index.ts";

await ready();

/** An optimizer that adds the gradients to its variable and counts its steps. */
function adding(variable: Variable) {
  return {
    steps: 0,
    step(gradients: Tensor[]) {
      this.steps++;
      variable.assign(variable.add(gradients[0]!));
      tf.dispose(gradients);
    },
  };
}

function setting(scaler = new GradScaler()) {
  const variable = tf.variable(tf.tensor1d([1, 2]));
  const optimizer = adding(variable);
  const gradients = (factor = 0.5) =>
    valueAndGradients(() => scaler.scale(tf.sum(tf.mul(variable, factor)) as Scalar), [variable]).gradients;
  return { scaler, variable, optimizer, gradients };
}

describe("GradScaler", () => {
  test("starts with PyTorch's defaults", () => {
    assert.deepEqual(new GradScaler().stateDict(), {
      scale: 65536,
      growth_factor: 2,
      backoff_factor: 0.5,
      growth_interval: 2000,
      _growth_tracker: 0,
    });
  });

  test("gives the optimizer unscaled gradients", () => {
    const { scaler, variable, optimizer, gradients } = setting();
    const scaled = gradients();
    assert.deepEqual([...scaled[0]!.dataSync()], [32768, 32768]);
    scaler.step(optimizer, scaled);
    scaler.update();
    assert.deepEqual([...variable.dataSync()], [1.5, 2.5]);
    assert.ok(scaled[0]!.isDisposed);
  });

  test("an infinity skips exactly one step and halves the scale; the parameters and the optimizer stay", () => {
    const { scaler, variable } = setting();
    const optimizer = adamW([variable]);
    const take = (factor: number) => {
      const { gradients } = valueAndGradients(
        () => scaler.scale(tf.sum(tf.mul(variable, factor)) as Scalar),
        [variable],
      );
      scaler.step(optimizer, gradients);
      scaler.update();
      return [...variable.dataSync()];
    };
    const first = take(0.5);
    assert.deepEqual(take(Number.POSITIVE_INFINITY), first);
    assert.equal(scaler.getScale(), 32768);
    assert.deepEqual(take(Number.NaN), first);
    assert.equal(scaler.getScale(), 16384);
    const other = tf.variable(tf.tensor1d([1, 2]));
    const untroubled = adamW([other]);
    for (let i = 0; i < 2; i++) untroubled.step([tf.tensor1d([0.5, 0.5])]);
    assert.deepEqual(take(0.5), [...other.dataSync()]);
    assert.equal(scaler.getScale(), 16384);
  });

  test("a step that fails does not count as a finite one, and may be taken again", () => {
    const { scaler, variable, optimizer, gradients } = setting(new GradScaler({ growthInterval: 2 }));
    const { step } = optimizer;
    optimizer.step = () => {
      throw new Error("no memory");
    };
    assert.throws(() => scaler.step(optimizer, gradients()), /^Error: no memory$/);
    optimizer.step = step;
    scaler.step(optimizer, gradients());
    scaler.update();
    assert.deepEqual([...variable.dataSync()], [1.5, 2.5]);
    assert.equal((scaler.stateDict() as GradScalerState)._growth_tracker, 1);
  });

  test("small gradients become 0 in float16 without scaling but not with it", () => {
    const weight = tf.variable(tf.ones([4, 1])) as Variable;
    const x = tf.tensor2d([1, 2, 3, 4], [1, 4]);
    const factor = 1e-8;
    const gradient = (scaler: GradScaler) => {
      const { gradients } = valueAndGradients(
        () => scaler.scale(autocast("float16", () => tf.mul(tf.sum(tf.matMul(x, weight as never)), factor)) as Scalar),
        [weight],
      );
      return [...scaler.unscale({ step: () => undefined }, gradients)[0]!.dataSync()];
    };
    const native = tf.getBackend() === "tensorflow";
    if (native) assert.deepEqual(gradient(new GradScaler({ enabled: false })), [0, 0, 0, 0]);
    gradient(new GradScaler()).forEach((value, i) => {
      assert.ok(Math.abs(value - (i + 1) * factor) < 1e-3 * factor * (i + 1), `${value}`);
    });
  });

  test("unscale gives the unscaled gradients before the step, for clipping", () => {
    const { scaler, variable, optimizer, gradients } = setting();
    const [gradient] = scaler.unscale(optimizer, gradients());
    assert.deepEqual([...gradient!.dataSync()], [0.5, 0.5]);
    scaler.step(optimizer, [gradient!.mul(0.1)]);
    scaler.update();
    for (const [i, value] of variable.dataSync().entries()) assert.ok(Math.abs(value - [1.05, 2.05][i]!) < 1e-6);
  });

  test("updates parameters of every shape as an optimizer without a scaler does, unscaled before or not", () => {
    const start = [
      tf.tensor2d([1, -2, 3, -4, 5, -6], [3, 2]),
      tf.tensor1d([0.5, -0.5]),
      tf.scalar(2),
      tf.tensor3d([1, 2, 3, 4], [2, 1, 2]),
    ];
    const loss = (variables: Variable[]) => tf.addN(variables.map((x, i) => tf.sum(tf.mul(x, i + 1)))) as Scalar;
    const after = (take: (optimizer: ReturnType<typeof sgd>, scaler: GradScaler, gradients: Tensor[]) => void) => {
      const variables = start.map((x) => tf.variable(x as Tensor));
      const scaler = new GradScaler();
      const { gradients } = valueAndGradients(() => scaler.scale(loss(variables)), variables);
      take(sgd(variables, { learningRate: 0.25 }), scaler, gradients);
      assert.ok(gradients.every(({ isDisposed }) => isDisposed));
      return variables.map((variable) => variable.arraySync());
    };
    // The gradient of the i-th is i + 1 everywhere.
    const expected = [
      [
        [0.75, -2.25],
        [2.75, -4.25],
        [4.75, -6.25],
      ],
      [0, -1],
      1.25,
      [[[0, 1]], [[2, 3]]],
    ];
    assert.deepEqual(
      after((optimizer, scaler, gradients) => scaler.step(optimizer, gradients)),
      expected,
    );
    assert.deepEqual(
      after((optimizer, scaler, gradients) => scaler.step(optimizer, scaler.unscale(optimizer, gradients))),
      expected,
    );
    assert.deepEqual(
      after((optimizer, scaler, gradients) => scaler.step({ step: (unscaled) => optimizer.step(unscaled) }, gradients)),
      expected,
    );
  });

  test("calls a step that replaces the optimizer's own", () => {
    const { scaler, variable, gradients } = setting();
    const optimizer = sgd([variable], { learningRate: 1 });
    const seen: number[][] = [];
    const watched = {
      ...optimizer,
      step(given: Tensor[]) {
        seen.push([...given[0]!.dataSync()]);
        return optimizer.step(given);
      },
    };
    scaler.step(watched, gradients(0.5));
    scaler.update();
    assert.deepEqual(seen, [[0.5, 0.5]]);
    assert.deepEqual([...variable.dataSync()], [0.5, 1.5]);
  });

  test("the finite check of all gradients reads one number", () => {
    const scaler = new GradScaler();
    const variables = Array.from({ length: 20 }, () => tf.variable(tf.ones([3, 2])));
    const { gradients } = valueAndGradients(
      () => scaler.scale(tf.addN(variables.map((variable) => tf.sum(variable))) as Scalar),
      variables,
    );
    const ops: string[] = [];
    const leave = interceptOps((op, next) => {
      ops.push(op.name);
      return next(op);
    });
    try {
      scaler.unscale({ step: () => undefined }, gradients);
    } finally {
      leave();
    }
    for (const op of ["IsFinite", "All", "Mul"]) assert.ok(ops.filter((name) => name === op).length <= 1, ops.join());
  });

  test("several optimizers share the scale: an overflow in one halves it, and only that optimizer's step is skipped", () => {
    const { scaler, optimizer, gradients } = setting();
    const second = setting(scaler);
    scaler.step(optimizer, gradients(Number.POSITIVE_INFINITY));
    scaler.step(second.optimizer, second.gradients());
    scaler.update();
    assert.deepEqual([optimizer.steps, second.optimizer.steps, scaler.getScale()], [0, 1, 32768]);
  });

  test("an overflow at the smallest scale throws and changes nothing, also when repeated", () => {
    for (const [options, scale, skipped] of [
      [{}, 1, 16],
      [{ initScale: 0.5 }, 0.5, 0],
      [{ initScale: 6, backoffFactor: 0.3, minScale: 0.01 }, Math.fround(0.01), 6],
    ] as const) {
      const { scaler, variable, optimizer, gradients } = setting(new GradScaler(options));
      let errors = 0;
      for (let i = 0; i < 250; i++) {
        scaler.step(optimizer, gradients(i % 2 ? Number.NaN : Number.POSITIVE_INFINITY));
        try {
          scaler.update();
        } catch (error) {
          errors++;
          assert.match(String(error), /a gradient is not finite at a loss scale of .*lower the learning rate/);
        }
      }
      assert.deepEqual([...variable.dataSync()], [1, 2]);
      assert.equal(scaler.getScale(), scale);
      assert.equal(errors, 250 - skipped);
      scaler.step(optimizer, gradients());
      scaler.update();
      assert.deepEqual([...variable.dataSync()], [1.5, 2.5]);
    }
  });

  test("the gradients are correct at every float32 scale, and an infinity made by unscaling is detected", () => {
    // 2^-100 * 2^127 and 2^-100 are exact in float32.
    for (const exponent of [127, 126, 64, 0, -20]) {
      const { scaler, variable, optimizer, gradients } = setting(new GradScaler({ initScale: 2 ** exponent }));
      variable.assign(tf.tensor1d([0, 0]));
      scaler.step(optimizer, gradients(2 ** -100));
      scaler.update();
      assert.deepEqual([...variable.dataSync()], [2 ** -100, 2 ** -100], `scale 2^${exponent}`);
    }
    const scaler = new GradScaler({ initScale: 2 ** -20, minScale: 2 ** -100 });
    scaler.scale(tf.scalar(1));
    const { optimizer } = setting(scaler);
    assert.equal(scaler.step(optimizer, [tf.tensor1d([2 ** 120, 0])]), undefined);
    assert.equal(optimizer.steps, 0);
    scaler.update();
    assert.equal(scaler.getScale(), 2 ** -21);
  });

  test("its state can be loaded into another scaler, and that of a disabled one is empty", () => {
    const { scaler, optimizer, gradients } = setting(new GradScaler({ growthInterval: 4 }));
    for (const factor of [1, Number.POSITIVE_INFINITY, 1, 1]) {
      scaler.step(optimizer, gradients(factor));
      scaler.update();
    }
    const state = JSON.parse(JSON.stringify(scaler.stateDict())) as GradScalerState;
    assert.equal(state._growth_tracker, 2);
    const other = new GradScaler();
    other.loadStateDict(state);
    assert.deepEqual(other.stateDict(), state);
    assert.deepEqual(new GradScaler({ enabled: false }).stateDict(), {});
    assert.throws(() => other.loadStateDict({}), /the state is empty\. It may have been saved from a disabled/);
  });

  test("disabled, it changes nothing", () => {
    const { scaler, variable, optimizer, gradients } = setting(new GradScaler({ enabled: false }));
    scaler.step(optimizer, gradients());
    scaler.update();
    assert.deepEqual([...variable.dataSync()], [1.5, 2.5]);
    assert.equal(scaler.getScale(), 1);
    assert.equal(scaler.isEnabled(), false);
  });
});

describe("wrong use of a scaler throws and leaves the training unchanged:", () => {
  test("two steps without an update", () => {
    const { scaler, variable, optimizer, gradients } = setting();
    scaler.step(optimizer, gradients());
    const again = gradients();
    const before = [...variable.dataSync()];
    assert.throws(() => scaler.step(optimizer, again), /step\(\) has already been called since the last update\(\)/);
    assert.deepEqual([...variable.dataSync()], before);
    assert.ok(!again[0]!.isDisposed);
    scaler.update();
    scaler.step(optimizer, again);
    assert.equal(optimizer.steps, 2);
  });

  test("unscale twice, and unscale after the step", () => {
    const { scaler, optimizer, gradients } = setting();
    const unscaled = scaler.unscale(optimizer, gradients());
    assert.throws(() => scaler.unscale(optimizer, unscaled), /unscale\(\) has already been called on this optimizer/);
    assert.deepEqual([...unscaled[0]!.dataSync()], [0.5, 0.5]);
    scaler.step(optimizer, unscaled);
    assert.throws(() => scaler.unscale(optimizer, gradients()), /unscale\(\) is being called after step\(\)/);
  });

  test("update without a step, and step without a scaled loss", () => {
    const { scaler, optimizer, gradients } = setting();
    assert.throws(() => scaler.step(optimizer, [tf.ones([2])]), /step\(\) was called before scale\(\)/);
    assert.throws(() => scaler.update(), /update\(\) was called before scale\(\)/);
    gradients();
    assert.throws(() => scaler.update(), /no gradients were checked since the last update\(\)/);
    assert.equal(scaler.getScale(), 65536);
  });

  test("a scale that is not finite", () => {
    const { scaler, optimizer, gradients } = setting();
    scaler.step(optimizer, gradients());
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 0, -1, 1e39, 1e-50, 2 ** -127])
      assert.throws(() => scaler.update(bad), /newScale must be positive and finite in float32 .*, got/);
    scaler.update(128);
    assert.equal(scaler.getScale(), 128);
    const state = scaler.stateDict() as GradScalerState;
    assert.throws(() => scaler.loadStateDict({ ...state, scale: Number.NaN }), /scale must be positive and finite/);
    assert.throws(() => scaler.loadStateDict({ ...state, growth_factor: 1 }), /growthFactor must be above 1, got 1/);
    assert.deepEqual(scaler.stateDict(), state);
    assert.throws(
      () => new GradScaler({ initScale: Number.POSITIVE_INFINITY }),
      /initScale must be positive and finite/,
    );
    assert.throws(() => new GradScaler({ minScale: 0 }), /minScale must be positive and finite/);
    assert.throws(() => new GradScaler({ backoffFactor: 1 }), /backoffFactor must lie between 0 and 1, got 1/);
    assert.throws(() => new GradScaler({ growthInterval: 0 }), /growthInterval must be a positive integer, got 0/);
  });

  test("float16 gradients", () => {
    const { scaler, optimizer, gradients } = setting();
    const half = gradients().map((gradient) => to(gradient.mul(1 / 65536), "float16"));
    if (tf.getBackend() === "tensorflow")
      assert.throws(() => scaler.step(optimizer, half), /gradient 0 is float16.*parameters must be float32/);
    assert.equal(optimizer.steps, 0);
  });
});
