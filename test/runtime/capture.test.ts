import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  autocast,
  dropout,
  gelu,
  grad,
  layerNorm,
  nativeMemory,
  probe,
  profileScope,
  to,
  vmap,
  withMemoryBudget,
} from "../../src/index.ts";
import { float, nativeOp, runtimeInfo, tf } from "../../src/runtime/index.ts";
import { StepCapture } from "../../src/runtime/native/capture/step-capture.ts";

type Tensor = ReturnType<typeof tf.zeros>;

const skip = !runtimeInfo().capture && "nothing is captured here";
const bitsOf = (x: Tensor) => Buffer.from(x.dataSync().slice().buffer).toString("hex");
const numbers = (shape: number[], seed = 1): Tensor => {
  const x = tf.randomNormal(shape, 0, 1, "float32", seed);
  x.dataSync();
  return tf.add(x, 0);
};

/** Runs a function of a tensor captured and as it is, and compares their bits. */
function compare(f: (x: Tensor) => Tensor, inputs: readonly Tensor[], capture = new StepCapture("Test")) {
  for (const x of inputs) {
    const before = bitsOf(x);
    const captured = capture.run(() => tf.tidy(() => f(x)));
    const plain = tf.tidy(() => f(x));
    assert.deepEqual(captured.shape, plain.shape);
    assert.equal(bitsOf(captured), bitsOf(plain));
    // A kernel may compute in the memory of an input, but not of one that is still in use.
    assert.equal(bitsOf(x), before);
    tf.dispose([captured, plain]);
  }
  return capture.state;
}

const many = (count: number, shape: number[]) => Array.from({ length: count }, (_, seed) => numbers(shape, seed));
const five = (shape: number[]) => many(5, shape);

const gradientOf =
  (f: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor =>
    tf.grad((y) => tf.sum(f(y)))(x);
/** Of terms that are used again, and of those that are not. */
const sums = (x: Tensor): Tensor => {
  const y = tf.square(x);
  return tf.add(tf.add(tf.add(x, y), x), tf.add(y, y));
};
const kernel = numbers([3, 3, 4, 5]) as never;
const square = numbers([16, 16]);
const ops: Record<string, [shape: number[], f: (x: Tensor) => Tensor]> = {
  matMul: [[8, 16], (x) => tf.matMul(x as never, square as never)],
  "batched matMul": [[4, 8, 16], (x) => tf.matMul(x, x, false, true)],
  softmax: [[32, 10], (x) => tf.softmax(x)],
  logSoftmax: [[32, 10], (x) => tf.logSoftmax(x)],
  relu: [[8, 16], (x) => tf.relu(x)],
  tanh: [[8, 16], (x) => tf.tanh(x)],
  erf: [[8, 16], (x) => tf.erf(x)],
  mean: [[32, 33], (x) => tf.mean(x, -1)],
  sum: [[1000], (x) => tf.sum(x)],
  moments: [[4, 50], (x) => tf.moments(x, 1).variance],
  arithmetic: [[7, 9], (x) => tf.div(tf.mul(tf.add(x, 1.5), tf.sub(x, x)), tf.sqrt(tf.add(tf.square(x), 1)))],
  "sums of one shape": [[301, 70], sums],
  "sums of bfloat16": [[301, 70], (x) => to(sums(to(x, "bfloat16")), "float32")],
  "sums of float16": [[301, 70], (x) => to(sums(to(x, "float16")), "float32")],
  concat: [[3, 4], (x) => tf.concat([x, tf.neg(x)], 1)],
  slice: [[6, 5], (x) => tf.slice(x, [1, 2], [3, 2])],
  transpose: [[4, 6, 2], (x) => tf.transpose(x, [2, 0, 1])],
  gather: [[9, 4], (x) => tf.gather(x, tf.tensor1d([3, 1, 8], "int32"))],
  oneHot: [[5, 3], (x) => tf.oneHot(tf.argMax(x, 1) as never, 3)],
  conv2d: [[2, 9, 9, 4], (x) => tf.conv2d(x as never, kernel, 1, "same")],
  "conv2d's gradient": [[2, 9, 9, 4], gradientOf((x) => tf.conv2d(x as never, kernel, 2, "valid"))],
  maxPool: [[2, 8, 8, 3], (x) => tf.maxPool(x as never, 2, 2, "valid")],
  "maxPool's gradient": [[2, 8, 8, 3], gradientOf((x) => tf.maxPool(x as never, 2, 2, "valid"))],
  avgPool: [[2, 8, 8, 3], (x) => tf.avgPool(x as never, 3, 1, "same")],
  batchNorm: [[4, 5, 5, 3], (x) => tf.batchNorm(x as never, numbers([3]) as never, tf.abs(numbers([3], 9)) as never)],
  "depthwise conv2d": [[2, 9, 9, 4], (x) => tf.depthwiseConv2d(x as never, numbers([3, 3, 4, 2]) as never, 1, "same")],
  conv3d: [[1, 6, 6, 6, 2], (x) => tf.conv3d(x as never, numbers([2, 2, 2, 2, 3]) as never, 1, "same")],
  localResponseNormalization: [[2, 5, 5, 6], (x) => tf.localResponseNormalization(x as never)],
  layerNorm: [[6, 16], (x) => layerNorm(x as never, numbers([16]) as never, numbers([16], 3) as never) as never],
  "layerNorm's gradient": [
    [6, 16],
    gradientOf((x) => tf.square(layerNorm(x as never, numbers([16]) as never, numbers([16], 3) as never) as never)),
  ],
  gelu: [[6, 16], (x) => gelu(x as never) as never],
  "gelu's gradient": [
    [6, 16],
    (x) => {
      const y = tf.exp(x);
      return tf.add(y, gradientOf((z) => tf.mul(gelu(tf.mul(z, y) as never) as never, y))(x));
    },
  ],
  "dropout of several uses": [
    [30, 20],
    (x) => {
      const y = tf.tanh(x);
      const dropped = dropout(y as never, 0.3, { from: 3 }) as unknown as Tensor;
      return tf.add(gradientOf((z) => tf.square(dropout(tf.exp(z) as never, 0.3, { from: 3 }) as never))(y), dropped);
    },
  ],
  sigmoid: [[6, 16], (x) => tf.sigmoid(x)],
  selu: [[6, 16], (x) => tf.selu(x)],
  leakyRelu: [[6, 16], (x) => tf.leakyRelu(x)],
  pow: [[6, 16], (x) => tf.pow(tf.abs(x), 1.7)],
  resizeBilinear: [[1, 5, 5, 2], (x) => tf.image.resizeBilinear(x as never, [8, 9])],
  "matMul in bfloat16": [
    [8, 16],
    (x) => autocast("bfloat16", () => tf.cast(tf.matMul(x as never, square as never), "float32")),
  ],
  "softmax in bfloat16": [[8, 16], (x) => tf.softmax(to(x as never, "bfloat16") as never)],
  einsum: [[6, 7], (x) => tf.einsum("ij,kj->ik", x, x)],
  cumsum: [[3, 20], (x) => tf.cumsum(x, 1)],
  "softmax's gradient": [[8, 12], gradientOf((x) => tf.square(tf.softmax(x)))],
};

test("TensorFlow's context is known where the capture is set up", () => {
  assert.doesNotMatch(runtimeInfo().reason, /did not see/);
});

describe("a captured step", { skip }, () => {
  for (const [name, [shape, f]] of Object.entries(ops)) {
    test(`computes ${name} with the same bits as the op alone`, () => {
      const { functions, calls, fault } = compare(f, five(shape));
      assert.deepEqual([functions, fault], [1, undefined]);
      assert.ok(calls >= 1);
    });
  }

  test("has one function for all shapes, and runs it with shapes and types that it has seen", () => {
    const capture = new StepCapture("Test");
    const table = numbers([400, 3]);
    const look = (ids: Tensor) => tf.sum(tf.gather(table, ids as never), 1);
    const callsAfter = (runs: number, length: number) => {
      const ids = Array.from({ length: runs }, () =>
        tf.tensor1d(
          Int32Array.from({ length }, (_, i) => i),
          "int32",
        ),
      );
      const { functions, shapes, calls } = compare(look, ids, capture);
      return { functions, shapes, calls };
    };
    assert.deepEqual(callsAfter(5, 300), { functions: 1, shapes: 1, calls: 2 });
    assert.deepEqual(callsAfter(1, 7), { functions: 1, shapes: 2, calls: 2 });
    assert.deepEqual(callsAfter(3, 7), { functions: 1, shapes: 2, calls: 5 });
    assert.deepEqual(callsAfter(1, 300), { functions: 1, shapes: 2, calls: 6 });
    const { calls } = capture.state;
    compare((x) => tf.mul(x, 2), [...many(14, [4]), tf.tensor1d([1, 2, 3, 4], "int32")], capture);
    assert.ok(capture.state.calls > calls);
  });

  test("takes numbers that change, and permutations that change, from each run", () => {
    const capture = new StepCapture("Test");
    for (let i = 0; i < 40; i++) {
      const f = (x: Tensor) => tf.transpose(tf.mul(x, i < 30 ? 3 : i), i % 2 ? [1, 0] : [0, 1]);
      compare(f, [numbers([4, 4], i)], capture);
    }
    assert.ok(capture.state.calls >= 15);
  });

  test("takes another path of the step's own code", () => {
    const capture = new StepCapture("Test");
    const f = (x: Tensor) => {
      const y = tf.exp(tf.tanh(x));
      return x.dataSync()[0]! > 0 ? tf.square(y) : tf.neg(tf.add(y, 1));
    };
    const { functions, calls } = compare(f, many(40, [6]), capture);
    assert.equal(functions, 2);
    assert.ok(calls >= 20);
  });

  test("computes op by op where a result is read before the end", () => {
    const capture = new StepCapture("Test");
    const f = (x: Tensor) => {
      const y = tf.tanh(x);
      return tf.mul(tf.square(y), y.dataSync()[0]!);
    };
    const { functions, fault } = compare(f, five([5]), capture);
    assert.deepEqual([functions, fault], [0, "it reads the result of Tanh, [5] before it ends"]);
  });

  test("is not one with random numbers of TensorFlow's own, or with a shape that depends on values", () => {
    const unique = new StepCapture("Test");
    for (const x of five([6])) unique.run(() => tf.tidy(() => tf.unique(tf.round(x)).indices));
    assert.match(
      unique.state.fault!,
      /UniqueV2 has a state, draws its own random numbers, or has a result whose shape/,
    );
    assert.equal(unique.state.functions, 0);
    const drawn = new StepCapture("Test");
    for (const x of five([1, 6])) drawn.run(() => tf.tidy(() => tf.multinomial(x as never, 3)));
    assert.match(drawn.state.fault!, /^Multinomial/);
  });

  test("keeps 16 functions, those used last", () => {
    const capture = new StepCapture("Test");
    const tanhs = (count: number) =>
      compare((x) => Array.from({ length: count }).reduce((y: Tensor) => tf.tanh(y), x), [numbers([count])], capture);
    for (let count = 1; count <= 20; count++) {
      for (let i = 0; i < 12; i++) tanhs(count);
      tanhs(1);
    }
    assert.equal(capture.state.functions, 16);
    const { calls } = capture.state;
    tanhs(1);
    tanhs(20);
    assert.equal(capture.state.calls, calls + 2);
    tanhs(2);
    assert.equal(capture.state.calls, calls + 2);
    tanhs(2);
    assert.equal(capture.state.calls, calls + 3);
  });

  test("has a function for each shape where constants follow from it, after twelve runs", () => {
    const capture = new StepCapture("Test");
    const mean = (x: Tensor) => tf.mul(tf.sum(x), 1 / x.size);
    const run = (size: number, count: number) =>
      compare(
        mean,
        Array.from({ length: count }, (_, i) => numbers([size], i)),
        capture,
      ).calls;
    assert.equal(run(4, 5), 2);
    run(5, 20);
    run(4, 20);
    const { calls } = capture.state;
    run(5, 5);
    run(4, 5);
    assert.equal(capture.state.calls, calls + 10);
  });

  test("shares no function with a step whose ops have other settings that are no finite numbers", () => {
    const slopes = [Infinity, -Infinity, NaN, 0, -0];
    const captures = slopes.map(() => new StepCapture("Test"));
    for (const x of many(5, [6]))
      for (const [i, slope] of slopes.entries()) compare((y) => tf.leakyRelu(y, slope), [x], captures[i]);
    for (const { state } of captures) assert.equal(state.calls, 2);
  });

  test("is no longer recorded where its shapes do not repeat", () => {
    const capture = new StepCapture("Test");
    for (let size = 1; size <= 512; size++) capture.run(() => tf.tidy(() => tf.tanh(tf.zeros([size]))));
    assert.match(capture.state.fault!, /^512 runs in a row had other ops, shapes or constants/);
    compare((x) => tf.tanh(x), five([4]), capture);
    assert.equal(capture.state.calls, 0);
  });

  test("is computed op by op while something looks at the ops", async () => {
    const capture = new StepCapture("Test");
    const f = (x: Tensor) => tf.sum(tf.exp(x));
    compare(f, five([8]), capture);
    const { calls } = capture.state;
    const run = (x: Tensor) => capture.run(() => tf.tidy(() => f(x)));
    await probe(() => void run(numbers([8])));
    withMemoryBudget("1 GB", () => run(numbers([8])));
    grad((x: Tensor) => run(x) as never)(numbers([8]) as never);
    vmap((x: Tensor) => run(x) as never)(numbers([2, 8]) as never);
    assert.equal(capture.state.calls, calls);
    run(numbers([8]));
    assert.equal(capture.state.calls, calls + 1);
  });

  test("leaves no memory behind, and keeps what outlives it", () => {
    const capture = new StepCapture("Test");
    const kept: Tensor[] = [];
    const w = tf.variable(numbers([8]));
    const once = (x: Tensor) =>
      capture.run(() =>
        tf.tidy(() => {
          const y = tf.tanh(tf.mul(x, w));
          kept.push(tf.keep(tf.tensor1d([1, 2, 3])));
          tf.square(kept.at(-1)!);
          w.assign(tf.add(w, tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8])));
          return tf.sum(y);
        }),
      );
    const inputs = five([8]);
    for (const x of inputs) once(x).dispose();
    const before = [tf.memory().numTensors, nativeMemory().live, nativeMemory().tensors];
    const were = w.dataSync().slice();
    for (const x of inputs) once(x).dispose();
    assert.ok(capture.state.calls >= 5);
    const extra = inputs.length;
    assert.deepEqual(
      [tf.memory().numTensors, nativeMemory().live, nativeMemory().tensors],
      [before[0]! + extra, before[1]! + 12 * extra, before[2]! + extra],
    );
    assert.deepEqual([...kept.at(-1)!.dataSync()], [1, 2, 3]);
    const sums = [...were].map((value, i) => {
      let sum = value;
      for (let step = 0; step < extra; step++) sum = Math.fround(sum + i + 1);
      return sum;
    });
    assert.deepEqual([...w.dataSync()], sums);
  });

  test("that fails names the layer, leaves variables as they were, and goes on with the next", () => {
    const capture = new StepCapture("Test");
    const w = tf.variable(tf.tensor1d([1, 1, 1, 1]));
    const inverse = nativeOp("MatrixInverse", { T: float, adjoint: false });
    const step = (x: Tensor) => {
      const inverted = profileScope("block", () => profileScope("inverse", () => inverse(tf.mul(x, w))));
      w.assign(tf.mul(w, 2));
      return tf.sum(inverted);
    };
    const run = (x: Tensor) => capture.run(() => tf.tidy(() => step(x)));
    const identity = tf.add(tf.eye(4), 0);
    const nothing = tf.sub(identity, identity);
    for (let i = 0; i < 6; i++) run(identity);
    const { calls } = capture.state;
    const before = nativeMemory().tensors;
    assert.throws(() => run(nothing), /^Error: block\/inverse: TensorFlow's MatrixInverse of \[4, 4\] float32 failed/);
    assert.equal(nativeMemory().tensors, before);
    assert.deepEqual([...w.dataSync()], [64, 64, 64, 64]);
    assert.equal(run(identity).dataSync()[0], 4 / 64);
    assert.equal(calls, 2);
  });
});
