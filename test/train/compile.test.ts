import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  adamW,
  compile,
  conv2d,
  crossEntropy,
  dropout,
  freeUnreachable,
  generator,
  grad,
  linear,
  matmul,
  mean,
  parameterList,
  profileScope,
  randint,
  randn,
  relu,
  square,
  type Tensor,
  tensor,
  valueAndGradients,
} from "../../src/index.ts";
import { ready, runtimeInfo, tf } from "../../src/runtime/index.ts";

await ready();
const skip = !runtimeInfo().capture && "nothing is captured here";
const rows = (count: number, seed = 0) =>
  Array.from({ length: count }, (_, i) => [0, 1, 2, 3].map((j) => Math.sin(seed + 4 * i + j)));

/** A loop of one's own: two layers with dropout from a generator, and an optimizer. Gives losses and parameters. */
function loop(isCompiled: boolean) {
  const [first, second] = [linear({ in: 4, out: 8, from: 1 }), linear({ in: 8, out: 3, from: 2 })];
  const optimizer = adamW({ first: first.parameters, second: second.parameters }, { clipNorm: 1 });
  const random = generator(7);
  const step = ({ x, labels }: { x: Tensor<[number, 4]>; labels: Tensor<[number], "int32"> }) => {
    const { value, gradients } = valueAndGradients(() => {
      const hidden = dropout(relu(first.apply(first.parameters, x)), 0.25, { from: random });
      return crossEntropy(second.apply(second.parameters, hidden), labels) as never;
    }, optimizer.variables);
    return { loss: value, norm: optimizer.step(gradients)! };
  };
  const inputs = (seed: number) => {
    const count = seed % 5 === 4 ? 3 : 6;
    return {
      x: tensor(rows(count, seed)) as Tensor<[number, 4]>,
      labels: tensor(
        rows(count).map((_, i) => (i + seed) % 3),
        { dtype: "int32" },
      ),
    };
  };
  const compiled = compile(step, { inputs });
  const losses = Array.from({ length: 25 }, (_, i) => {
    const { loss, norm } = isCompiled ? compiled(i) : step(inputs(i));
    return [loss.dataSync()[0], norm.dataSync()[0]];
  });
  const parameters = parameterList({ first: first.parameters, second: second.parameters });
  return { losses, values: parameters.map(({ variable }) => [...variable.dataSync()]), state: compiled.state };
}

describe("compile", () => {
  test("a compiled step gives the bias of a convolution the same gradient, bit for bit", () => {
    const layer = conv2d({ in: 4, out: 4, kernelSize: 3, padding: 1, from: 1 });
    const gradientsOf = (x: Tensor<[12, 8, 8, 4]>) =>
      grad((p: typeof layer.parameters) => mean(square(layer.apply(p, x))))(layer.parameters);
    const compiled = compile(gradientsOf);
    for (let from = 0; from < 6; from++) {
      const x = randn([12, 8, 8, 4], { from });
      const [own, others] = [compiled(x), gradientsOf(x)];
      for (const name of ["weight", "bias"] as const)
        assert.deepEqual(own[name].dataSync(), others[name].dataSync(), name);
    }
  });

  test("gives the results of the step, with an optimizer, a generator and several shapes", () => {
    const [plain, compiled] = [loop(false), loop(true)];
    assert.deepEqual(compiled.losses, plain.losses);
    assert.deepEqual(compiled.values, plain.values);
    if (skip) return;
    assert.equal(compiled.state.functions, 2);
    assert.ok(compiled.state.calls >= 15);
  });

  test("takes arguments as they are, and disposes of what the step makes", () => {
    const w = tensor(rows(4));
    const step = compile((x: Tensor<[number, 4]>, scale: number) => ({
      product: tf.mul(relu(matmul(x, w)) as never, scale) as unknown as Tensor<[number, 4]>,
      scale,
    }));
    const x = tensor(rows(2)) as Tensor<[number, 4]>;
    for (let i = 1; i < 6; i++) {
      const { product, scale } = step(x, i);
      const expected = tf.tidy(() =>
        tf
          .mul(tf.relu(tf.matMul(x as never, w as never)), i)
          .dataSync()
          .slice(),
      );
      assert.deepEqual([[...product.dataSync()], scale], [[...expected], i]);
      product.dispose();
    }
    freeUnreachable();
    const before = tf.memory().numTensors;
    for (let i = 1; i < 6; i++) step(x, i).product.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test("refuses to read a result inside of the step, by the op and its layer", { skip }, () => {
    const step = compile((x: Tensor<[number, 4]>) => {
      const mean = profileScope("pool", () => tf.mean(x as never));
      return tf.mul(mean, mean.dataSync()[0]!);
    });
    const message =
      /^Error: compile: the step reads the result of Mean in the layer pool, \[\] before it ends: return the tensor and read it after the call$/;
    for (let i = 0; i < 4; i++) assert.throws(() => step(tensor(rows(2)) as never), message);
  });

  test("refuses random numbers of TensorFlow's own, and shapes that depend on values", { skip }, () => {
    const x = tf.tensor1d([1, 2, 2, 5]);
    const draw = compile(() => tf.multinomial(x, 2));
    assert.throws(
      draw,
      /^Error: compile: Multinomial has a state, draws its own random numbers, or has a result whose/,
    );
    const unique = compile(() => tf.unique(x).values);
    assert.throws(unique, /^Error: compile: UniqueV2 .*: compute it outside of the step$/);
  });

  test("captures a loss of labels from before the step, with the labels of each call", { skip }, () => {
    const w = tensor(rows(4)) as Tensor<[4, 4], "float32">;
    const loss = (x: Tensor<[number, 4]>, labels: Tensor<[number], "int32">) => crossEntropy(matmul(x, w), labels);
    const step = compile(loss);
    const x = tensor(rows(3)) as Tensor<[number, 4]>;
    const labels = [0, 1].map((from) => randint(0, 4, [3], { from }));
    for (let i = 0; i < 8; i++)
      assert.deepEqual(step(x, labels[i % 2]!).dataSync(), loss(x, labels[i % 2]!).dataSync());
    assert.deepEqual(step.state, { functions: 1, calls: 3 });
    const wrong = tensor([0, 4, 0], { dtype: "int32" });
    assert.throws(() => step(x, wrong), /^RangeError: crossEntropy: label 4 is not one of the 4 classes/);
  });

  test("tells why a step is not captured", () => {
    const changing = compile((n: number) => tf.fill([n], 0));
    for (let n = 1; n <= 200; n++) changing(n).dispose();
    assert.equal(changing.state.functions, 0);
    assert.match(changing.state.refusal!, skip ? /capture/ : /^200 runs in a row had other ops, shapes or constants/);
  });

  test("refuses what is not a function, and async functions", () => {
    assert.throws(() => compile(3 as never), /^TypeError: compile: step must be a function, got number$/);
    const step = compile(async () => tf.scalar(1));
    assert.throws(() => step(), /compile: the step must not be async: await what it needs before the call/);
  });
});
