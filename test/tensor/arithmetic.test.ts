import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Rank } from "@tensorflow/tfjs-node-gpu";
import { ready, runtimeInfo, tf } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, dice, type NdArray, tidily, toTensor, zip } from "./naive.ts";

before(ready);

const same = (x: number, y: number) => x === y;
const float: [string, (a: never, b: never) => h.Tensor, (x: number, y: number) => number][] = [
  ["add", h.add, (x, y) => x + y],
  ["sub", h.sub, (x, y) => x - y],
  ["mul", h.mul, (x, y) => x * y],
  ["div", h.div, (x, y) => x / y],
  ["maximum", h.maximum, (x, y) => Math.max(x, y)],
  ["minimum", h.minimum, (x, y) => Math.min(x, y)],
  ["mod", h.mod, (x, y) => x - y * Math.floor(x / y)],
  ["floorDiv", h.floorDiv, (x, y) => Math.floor(x / y)],
];
const comparisons: [string, (a: never, b: never) => h.Tensor, (x: number, y: number) => boolean][] = [
  ["equal", h.equal, same],
  ["notEqual", h.notEqual, (x, y) => !same(x, y)],
  ["less", h.less, (x, y) => x < y],
  ["lessEqual", h.lessEqual, (x, y) => x <= y],
  ["greater", h.greater, (x, y) => x > y],
  ["greaterEqual", h.greaterEqual, (x, y) => x >= y],
];

/** Two random shapes that broadcast: axes missing, of one element, or empty among them. */
function shapes({ whole, pick, next }: ReturnType<typeof dice>): [number[], number[]] {
  const full = Array.from({ length: whole(0, 4) }, () => pick([0, 1, 2, 3, 4]));
  const side = () => full.slice(whole(0, full.length)).map((d) => (next() < 0.3 ? 1 : d));
  return next() < 0.5 ? [full, side()] : [side(), full];
}

test("arithmetic broadcasts as NumPy does, on random shapes", () => {
  const random = dice(1);
  for (let round = 0; round < 25; round++)
    for (const [name, op, f] of float)
      tidily(() => {
        const [s, t] = shapes(random);
        const [a, b] = [random.array(s), random.array(t)];
        // mod and floorDiv jump where the quotient is whole: one ulp decides there.
        const result = op(toTensor(a) as never, toTensor(b) as never);
        assertClose(
          result,
          zip(a, b, (x, y) => f(x, y)),
          name === "mod" || name === "floorDiv" ? 1e-4 : 1e-6,
          name,
        );
      });
});

test("comparisons give bool tensors, on random shapes with ties", () => {
  const random = dice(2);
  for (let round = 0; round < 15; round++)
    for (const [name, op, f] of comparisons)
      tidily(() => {
        const [s, t] = shapes(random);
        const [a, b] = [s, t].map((shape) => random.array(shape, () => random.whole(-2, 2))) as [NdArray, NdArray];
        const result = op(toTensor(a) as never, toTensor(b) as never);
        assert.equal(result.dtype, "bool", name);
        assertClose(
          result,
          zip(a, b, (x, y) => Number(f(x, y))),
          0,
          name,
        );
      });
});

test("bools count as 0 and 1 in arithmetic, comparisons and sort, as in NumPy", () =>
  tidily(() => {
    const [a, b] = [h.tensor([false, false, true, true]), h.tensor([false, true, false, true])];
    const given = (x: h.AnyTensor) => [x.dtype, Array.from(x.dataSync())];
    const told = (...values: number[]) => ["bool", values];
    const whole = (...values: number[]) => ["int32", values];
    assert.deepEqual(given(h.less(a, b)), told(0, 1, 0, 0));
    assert.deepEqual(given(h.lessEqual(a, b)), told(1, 1, 0, 1));
    assert.deepEqual(given(h.greater(a, b)), told(0, 0, 1, 0));
    assert.deepEqual(given(h.greaterEqual(a, b)), told(1, 0, 1, 1));
    assert.deepEqual(given(h.equal(a, b)), told(1, 0, 0, 1));
    assert.deepEqual(given(h.notEqual(a, b)), told(0, 1, 1, 0));
    assert.deepEqual(given(h.less(a, 1)), told(1, 1, 0, 0));
    assert.deepEqual(given(h.logicalAnd(a, 1)), told(0, 0, 1, 1));
    assert.deepEqual(given(h.logicalOr(a, 0.5)), told(1, 1, 1, 1));
    assert.deepEqual(given(h.sort(b).values), told(0, 0, 1, 1));
    assert.deepEqual(given(h.sort(b, "descending").values), told(1, 1, 0, 0));
    assert.deepEqual(given(h.topK(b, 3).values), told(1, 1, 0));
    for (const f of [h.abs, h.sign, h.square, h.relu]) assert.deepEqual(given(f(b)), whole(0, 1, 0, 1));
    assert.deepEqual(given(h.neg(b)), whole(0, -1, 0, -1));
    assert.deepEqual(given(h.clip(b, 0, 1)), whole(0, 1, 0, 1));
    assert.deepEqual(given(h.exp(h.logicalNot(b))).at(0), "float32");
  }));

test("integers divided by 0 or raised to a negative power throw", () => {
  const [a, zeros] = [h.tensor([1, 2], { dtype: "int32" }), h.zeros([2], "int32")];
  assert.throws(() => h.floorDiv(a, zeros), /^RangeError: floorDiv: cannot divide integers by 0; .*asType/);
  assert.throws(() => h.mod(a, 0), /^RangeError: mod: cannot divide integers by 0/);
  assert.throws(() => h.pow(a, -1), /^RangeError: pow: cannot raise integers to the power -1/);
  assert.deepEqual(Array.from(h.div(a, zeros).dataSync()), [Infinity, Infinity]);
});

test("arithmetic and comparisons treat NaN and infinity as IEEE 754 does", () => {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -1];
  const a: NdArray = { shape: [6, 1], data: special };
  const b: NdArray = { shape: [6], data: special };
  for (const [name, op, f] of float.slice(0, 6))
    assertClose(op(toTensor(a) as never, toTensor(b) as never), zip(a, b, f), 0, name);
  for (const [name, op, f] of comparisons)
    assertClose(
      op(toTensor(a) as never, toTensor(b) as never),
      zip(a, b, (x, y) => Number(f(x, y))),
      0,
      name,
    );
});

test("an integer takes the dtype of the tensor operand, a fraction makes the result float32", () => {
  const ints = tf.tensor1d([1, 2, 3], "int32");
  assert.equal(h.add(ints, 1).dtype, "int32");
  assert.equal(h.sub(1, ints).dtype, "int32");
  assert.deepEqual([...h.sub(1, ints).dataSync()], [0, -1, -2]);
  assert.equal(h.mul(ints, 0.5).dtype, "float32");
  assert.deepEqual([...h.mul(ints, 0.5).dataSync()], [0.5, 1, 1.5]);
  assert.equal(h.add(ints, tf.scalar(1)).dtype, "float32");
  assert.equal(h.add(tf.tensor1d([true, false, true]), ints).dtype, "int32");
  assert.deepEqual([...h.add(tf.tensor1d([true, true]), tf.tensor1d([true, false])).dataSync()], [2, 1]);
});

test("div divides integers in float32 and floorDiv rounds down", () => {
  const a = tf.tensor1d([7, -7], "int32");
  assert.deepEqual([...h.div(a, 2).dataSync()], [3.5, -3.5]);
  assert.deepEqual([...h.floorDiv(a, 2).dataSync()], [3, -4]);
  assert.deepEqual([...h.mod(a, 3).dataSync()], [1, 2]);
});

test("an op leaves no tensor except its result", () => {
  const a = tf.tensor1d([1, 2], "int32");
  const b = tf.tensor1d([0.5, 1]);
  const run = () => [h.add(a, b), h.mul(a, 0.5), h.gelu(a), h.silu(b), h.greater(a, b), h.div(3, a)];
  // Constants of an op stay on the device from its first call on.
  tf.dispose(run());
  const before = tf.memory().numTensors;
  const results = run();
  assert.ok(tf.memory().numTensors - before <= results.length);
});

test("shapes that do not broadcast throw an error with both shapes and sizes", () => {
  const a = tf.zeros([2, 3, 4]);
  assert.throws(() => h.add(a, tf.zeros([3, 5])), {
    name: "ShapeError",
    message: "add: [2, 3, 4] and [3, 5] do not broadcast: 4 is not 5",
  });
  const named = h.named(a, ["batch", "time", 4]);
  assert.throws(() => h.mul(named, tf.zeros([7, 4])), {
    message: "mul: [batch=2, time=3, 4] and [7, 4] do not broadcast: time=3 is not 7",
  });
  // @ts-expect-error: the compiler says the same
  assert.throws(() => h.mul(named, h.named(tf.zeros([3, 4]), ["head", 4])), {
    message: "mul: [batch=2, time=3, 4] and [head=3, 4] do not broadcast: time=3 is not head=3",
  });
});

test("a weight or bias of another shape throws an error with the required shape", () => {
  const x = h.ones([3, 5]);
  assert.throws(
    () => h.layerNorm(x, h.ones([2])),
    /^ShapeError: layerNorm: the weight of \[3, 5\] must be \[5\], got \[2\]/,
  );
  assert.throws(
    () => h.layerNorm(x, h.ones([5]), h.ones([3])),
    /layerNorm: the bias of \[3, 5\] must be \[5\], got \[3\]/,
  );
  assert.throws(() => h.rmsNorm(x, h.ones([3, 5])), /rmsNorm: the weight of \[3, 5\] must be \[5\], got \[3, 5\]/);
});

test("an error of TensorFlow has the op, the shapes and dtypes, and the remedy", {
  skip: runtimeInfo().backend === "wasm",
}, () => {
  const engine = tf.engine();
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const flag = h.tensor([true]) as h.AnyTensor;
  assert.equal(
    message(() => tf.tidy("anOp", () => engine.runKernel("Abs", { x: flag }) as h.AnyTensor)),
    'anOp: TensorFlow\'s Abs of [1] bool failed: bool tensors are not supported. Convert the input first, for instance with asType(x, "float32").',
  );
  assert.match(
    message(() => engine.runKernel("Add", { a: h.ones([3, 5]), b: h.ones([2]) } as never)),
    /^Add of \[3, 5\] float32 and \[2\] float32 failed: Incompatible shapes: \[3,5\] vs\. \[2\]\. Check the shapes, dtypes and values/,
  );
  assert.match(
    message(() => tf.image.resizeBilinear(tf.zeros<Rank.R4>([1, 2, 2, 1]), [0, 0])),
    /^resizeBilinear: TensorFlow's ResizeBilinear of \[1, 2, 2, 1\] float32 and \[2\] int32 failed: output dimensions/,
  );
  assert.match(
    message(() => h.zeros([100_000, 100_000, 1000])),
    /^Fill of .* ran out of memory: .*Dispose tensors/,
  );
});

test("an operand that is not a numeric tensor throws an error with the op's name", () => {
  const strings = tf.tensor1d(["a", "b"]);
  assert.throws(() => h.add(strings, 1), /^TypeError: add: string tensors are not supported/);
  assert.throws(() => h.exp([1, 2] as never), /^TypeError: exp: expected a tensor, got an array/);
  assert.throws(() => h.add("x" as never, tf.scalar(1)), /^TypeError: add: expected a tensor, got string x/);
  const gone = tf.zeros([2, 2]);
  gone.dispose();
  assert.throws(
    () => h.matmul(gone, gone),
    /matmul: the input \(shape \[2, 2\]\) has already been disposed\. Dispose it after its last use, or pass a clone/,
  );
});

test("ops keep axis names and merge them when broadcasting", () => {
  const x = h.named(tf.zeros([2, 3, 4]), ["batch", "time", "feature"]);
  assert.deepEqual(h.namesOf(h.add(x, 1)), ["batch", "time", "feature"]);
  assert.deepEqual(h.namesOf(h.exp(x)), ["batch", "time", "feature"]);
  assert.deepEqual(h.namesOf(h.sum(x, "time")), ["batch", "feature"]);
  assert.deepEqual(h.namesOf(h.mul(tf.zeros([5, 1, 1, 4]), x)), [undefined, "batch", "time", "feature"]);
  assert.deepEqual(h.namesOf(h.rearrange(x, "b t f -> t (b f)")), ["time", undefined]);
  assert.throws(
    () => h.named(x, ["batch", "time", 5]),
    /named: axis 2 of \[batch=2, time=3, feature=4\] does not have size 5/,
  );
});
