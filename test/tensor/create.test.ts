import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready, tf } from "../../src/runtime/index.ts";
import { to } from "../../src/storage/index.ts";
import * as h from "../../src/tensor/index.ts";

before(ready);

test("tensor takes numbers, nested arrays and typed arrays, and infers the documented dtype", () => {
  const dtypes = [
    h.tensor([1, 2]),
    h.tensor([true]),
    h.tensor(new Int32Array(2)),
    h.tensor(new Float64Array(2)),
    h.tensor(new Uint8Array(2)),
  ];
  assert.deepEqual(
    dtypes.map((x) => x.dtype),
    ["float32", "bool", "int32", "float32", "int32"],
  );
  assert.deepEqual(
    h.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]).shape,
    [2, 3],
  );
  assert.deepEqual(h.tensor([1, 2, 3, 4], { shape: [{ row: 2 }, 2], dtype: "int32" }).arraySync(), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(h.namesOf(h.tensor([1, 2, 3, 4], { shape: [{ row: 2 }, 2] })), ["row", undefined]);
  assert.equal(h.item(h.tensor(5)), 5);
  // numpy.array([True, 2]) is [1, 2].
  const mixed = h.tensor([true, 2]);
  assert.deepEqual([mixed.dtype, ...mixed.dataSync()], ["float32", 1, 2]);
  assert.deepEqual(h.tensor([]).shape, [0]);
});

test("changing the source array does not change the tensor", () => {
  const values = new Float32Array([1, 2]);
  const x = h.tensor(values);
  values[0] = 9;
  assert.deepEqual([...h.toTyped(x)], [1, 2]);
});

test("tensor rejects ragged arrays, other values and a shape of another size", () => {
  const tensor = h.tensor as (values: unknown, options?: unknown) => unknown;
  assert.throws(() => tensor([[1, 2], [3]]), /^ShapeError: tensor: the arrays are ragged: 1 beside 2 at depth 1/);
  assert.throws(() => tensor([[1], 2]), /ragged: a value beside 1 at depth 1/);
  assert.throws(() => tensor(["a"]), /^TypeError: tensor: a value must be a number or a boolean, got string/);
  assert.throws(() => tensor([1, 2, 3], { shape: [2, 2] }), /3 values do not match the shape \[2, 2\]/);
});

test("zeros, ones, full, eye, arange and linspace", () => {
  assert.deepEqual(h.zeros([{ batch: 2 }, 2], "int32").arraySync(), [
    [0, 0],
    [0, 0],
  ]);
  assert.deepEqual(h.namesOf(h.ones([{ batch: 2 }, 2])), ["batch", undefined]);
  assert.deepEqual(h.full([2], 7).arraySync(), [7, 7]);
  assert.deepEqual(h.eye(2).arraySync(), [
    [1, 0],
    [0, 1],
  ]);
  assert.deepEqual([h.arange(3).dtype, h.arange(3).arraySync()], ["int32", [0, 1, 2]]);
  assert.deepEqual(h.arange(5, 0, -2).arraySync(), [5, 3, 1]);
  assert.deepEqual(h.arange(0, 1, 0.25).arraySync(), [0, 0.25, 0.5, 0.75]);
  assert.deepEqual(h.linspace(0, 1, 5).arraySync(), [0, 0.25, 0.5, 0.75, 1]);
  const labels: h.Tensor<[2], "int32"> = h.zeros([2], { dtype: "int32" });
  const flags: h.Tensor<[2], "bool"> = h.full([2], 1, { dtype: "bool" });
  const weights: h.Tensor<[2], "float32"> = h.ones([2], {});
  assert.deepEqual([labels.dtype, flags.dtype, weights.dtype], ["int32", "bool", "float32"]);
  assert.throws(() => h.zeros([-1]), /zeros: a size must be an integer of at least 0, got -1/);
  assert.throws(() => h.zeros([{ batch: 2, time: 3 }]), /a named size must have exactly one name/);
});

test("tfjs' functions and this library's take the same tensors", () => {
  const ours = h.tensor([
    [1, 2],
    [3, 4],
  ]);
  assert.ok(ours instanceof tf.Tensor);
  assert.deepEqual(tf.matMul(ours as never, tf.eye(2)).arraySync(), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(h.matmul(tf.eye(2), ours).arraySync(), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(h.add(tf.variable(tf.ones([2])), 1).arraySync(), [2, 2]);
});

test("oneHot, topK and sort", () => {
  assert.deepEqual(h.oneHot(h.tensor([2, 0], { dtype: "int32" }), 3).arraySync(), [
    [0, 0, 1],
    [1, 0, 0],
  ]);
  const { values, indices } = h.topK(
    h.tensor([
      [1, 9, 5],
      [7, 3, 8],
    ]),
    2,
  );
  assert.deepEqual(
    [values.arraySync(), indices.arraySync()],
    [
      [
        [9, 5],
        [8, 7],
      ],
      [
        [1, 2],
        [2, 0],
      ],
    ],
  );
  const sorted = h.sort(h.tensor([3, 1, 2]));
  assert.deepEqual(
    [sorted.values.arraySync(), sorted.indices.arraySync()],
    [
      [1, 2, 3],
      [1, 2, 0],
    ],
  );
  for (const depth of [-1, 1.5])
    assert.throws(
      () => h.oneHot(h.tensor([0], { dtype: "int32" }), depth),
      new RangeError(`oneHot: a size must be an integer of at least 0, got ${depth}`),
    );
  for (const size of [-1, 1.5])
    assert.throws(() => h.eye(size), new RangeError(`eye: a size must be an integer of at least 0, got ${size}`));
  const topOfOne = h.topK as unknown as (x: h.AnyTensor, k: number) => unknown;
  assert.throws(() => topOfOne(h.tensor(3), 0), { name: "ShapeError", message: "topK: axis -1 is not in []" });
  assert.throws(() => h.sort(h.tensor(3)), { name: "ShapeError", message: "sort: axis -1 is not in []" });
  assert.throws(() => h.topK(h.tensor([1, 2]), 3), /topK: k must be between 0 and 2 for \[2\], got 3/);
});

test("crossEntropy rejects a label that is not a class, and labels of another shape or dtype", () => {
  const logits = h.zeros([2, 3]);
  const call = h.crossEntropy as (a: unknown, b: unknown) => unknown;
  assert.throws(
    () => call(logits, h.tensor([0, 3], { dtype: "int32" })),
    /label 3 is not one of the 3 classes of \[2, 3\]/,
  );
  assert.throws(() => call(logits, h.tensor([0, 1])), /the labels must be an int32 tensor, got float32/);
  assert.throws(
    () => call(logits, h.tensor([0], { dtype: "int32" })),
    /logits \[2, 3\] need labels of all axes but the last, got \[1\]/,
  );
});

test("sort and topK treat NaN as larger than every number, as in NumPy and PyTorch", () => {
  const same = (found: h.AnyTensor, expected: number[]) => assert.deepEqual([...found.dataSync()], expected);
  const numbers = [-1, 0, 2, 3, Infinity];
  for (let place = 0; place <= numbers.length; place++) {
    const x = h.tensor([3, 0, -1, Infinity, 2].toSpliced(place, 0, Number.NaN));
    const sorted = h.sort(x);
    same(sorted.values, [...numbers, Number.NaN]);
    same(h.gather(x, sorted.indices as h.AnyTensor), [...numbers, Number.NaN]);
    same(h.sort(x, "descending").values, [Number.NaN, ...numbers.toReversed()]);
    same(h.topK(x, 2).values, [Number.NaN, Infinity]);
    assert.equal(h.topK(x, 1).indices.dataSync()[0], place);
    for (const storage of ["float16", "bfloat16"] as const)
      same(h.sort(to(x, storage)).values, [...numbers, Number.NaN]);
  }
  const rows = h.tensor([
    [2, Number.NaN, 1],
    [3, 1, 2],
    [Number.NaN, Number.NaN, 0],
  ]);
  same(h.sort(rows).values, [1, 2, Number.NaN, 1, 2, 3, 0, Number.NaN, Number.NaN]);
  same(h.topK(rows, 2).indices, [1, 0, 0, 2, 0, 1]);
});

// numpy.argmax, numpy.argmin, numpy.max and numpy.maximum of the same numbers.
test("argMax and argMin give the first NaN, and max, min, maximum, minimum and clip propagate it, as in NumPy", () => {
  const same = (found: h.AnyTensor, expected: number[]) => assert.deepEqual([...found.dataSync()], expected);
  const nan = Number.NaN;
  const x = h.tensor([
    [1, nan, 3, 0],
    [nan, 2, nan, -1],
    [5, 4, Infinity, -Infinity],
  ]);
  same(h.argMax(x), [1, 0, 2]);
  same(h.argMin(x), [1, 0, 3]);
  same(h.argMax(x, 0), [1, 0, 1, 0]);
  same(h.argMin(x, 0), [1, 0, 1, 2]);
  for (const storage of ["float16", "bfloat16"] as const) same(h.argMax(to(x, storage)), [1, 0, 2]);
  for (const f of [h.max, h.min]) {
    same(f(x, 1), [nan, nan, f === h.max ? Infinity : -Infinity]);
    same(f(x, 0), [nan, nan, nan, f === h.max ? 0 : -Infinity]);
    same(f(x), [nan]);
  }
  const row = h.tensor([2, nan, 2, 2]);
  for (const [f, last] of [[h.maximum, [5, nan, Infinity, 2]] as const, [h.minimum, [2, nan, 2, -Infinity]] as const]) {
    const first = f === h.maximum ? [2, nan, 3, 2] : [1, nan, 2, 0];
    const second = f === h.maximum ? [nan, nan, nan, 2] : [nan, nan, nan, -1];
    same(f(x, row), [...first, ...second, ...last]);
    same(f(row, x), [...first, ...second, ...last]);
    same(f(x, nan), Array<number>(12).fill(nan));
    same(f(nan, row), Array<number>(4).fill(nan));
  }
  same(h.clip(row, -1, 1), [1, nan, 1, 1]);
  same(h.relu(row), [2, nan, 2, 2]);
  same(h.sign(row), [1, nan, 1, 1]);
});

// NumPy 2: np.array([2**31], np.int32) is an OverflowError; np.array([1.9, -1.9]).astype(np.int32) is [1, -1].
test("a number outside int32 throws an error with its value and index, and fractions are dropped", () => {
  const whole = { dtype: "int32" } as const;
  const range = "int32 holds integers from -2147483648 to 2147483647";
  const int = h.tensor([1, 5, -3], whole);
  const refused: [() => unknown, string][] = [
    [() => h.tensor([2 ** 31], whole), `tensor: ${range}, got 2147483648 at [0]`],
    [
      () =>
        h.tensor(
          [
            [0, 1],
            [2, Number.NaN],
          ],
          whole,
        ),
      `tensor: ${range}, got NaN at [1, 1]`,
    ],
    [() => h.tensor(-Infinity, whole), `tensor: ${range}, got -Infinity;`],
    [
      () => h.tensor(Float32Array.of(0, 0, 0, 0, 0, 1e10), { ...whole, shape: [2, 1, 3] }),
      "got 10000000000 at [1, 0, 2]",
    ],
    [() => h.full([2], -(2 ** 31) - 1, "int32"), `full: ${range}, got -2147483649;`],
    [() => h.full([2], Number.NaN, "int32"), `full: ${range}, got NaN;`],
    [() => h.asType(h.tensor([[1], [2 ** 31]]), "int32"), `asType: ${range}, got 2147483648 at [1, 0]`],
    [() => h.asType(h.tensor([0, Number.NaN]), "int32"), "got NaN at [1]"],
    [() => h.asType(to(h.tensor([0, Infinity]), "float16"), "int32"), "got Infinity at [1]"],
    [() => h.arange(2 ** 31, 2 ** 31 + 3), `arange: ${range}, got 2147483648;`],
    [() => h.arange(0, 1e10, 5e9), `arange: ${range}, got 5000000000;`],
    [() => h.randint(0, 2 ** 40, [3]), `randint: ${range}, got 1099511627775;`],
    [() => h.add(int, 2 ** 31), `add: ${range}, got 2147483648;`],
    [() => h.less(int, -(2 ** 40)), "less: int32 holds"],
    [() => h.where(h.tensor([true, false, true]), int, 2 ** 40), "where: int32 holds"],
    [() => h.pad(int, [[1, 0]], Number.NaN), `pad: ${range}, got NaN;`],
    [() => h.clip(int, 2 ** 31, 2 ** 32), "clip: no int32 lies between 2147483648 and 4294967296"],
    [() => h.clip(int, 0.2, 0.8), "clip: no int32 lies between 0.2 and 0.8"],
  ];
  for (const [make, text] of refused)
    assert.throws(make, (error: Error) => error instanceof RangeError && error.message.includes(text), text);
  const same = (found: h.AnyTensor, expected: number[]) => assert.deepEqual([...found.dataSync()], expected);
  const ends = [-(2 ** 31), 2 ** 31 - 1];
  same(h.tensor([...ends, 1.9, -1.9], whole), [...ends, 1, -1]);
  same(h.tensor(Float64Array.of(-(2 ** 31) - 0.5), whole), [ends[0]!]);
  same(h.full([2], ends[1]!, "int32"), [ends[1]!, ends[1]!]);
  same(h.asType(h.tensor([ends[0]!, 2147483520, 1.9, -1.9, -0]), "int32"), [ends[0]!, 2147483520, 1, -1, 0]);
  same(h.asType(h.tensor([]), "int32"), []);
  same(h.arange(ends[1]! - 1, 2 ** 31), [ends[1]! - 1, ends[1]!]);
  same(h.clip(int, -Infinity, 2.5), [1, 2, -3]);
  same(h.clip(int, -2.5, 2 ** 40), [1, 5, -2]);
  same(h.tensor([Number.NaN, 2, -0, 0.5], { dtype: "bool" }), [1, 1, 0, 1]);
  same(h.full([1], 0.5, "bool"), [1]);
});

// NumPy and PyTorch add int32 in int64: 2**31 for the first.
test("a sum or product outside int32 throws an error with its value and index", () => {
  const int = (values: number[][]) => h.tensor(values, { dtype: "int32" }) as h.AnyTensor;
  const most = 2 ** 31 - 1;
  const x = int([
    [most, 1],
    [2, 3],
  ]);
  const refused: [() => unknown, string][] = [
    [() => h.sum(x), "sum: int32 holds integers from -2147483648 to 2147483647, got 2147483653; use float32"],
    [() => h.sum(x, 1), "got 2147483648 at [0]"],
    [
      () =>
        h.prod(
          int([
            [1, 2],
            [65536, 65536],
          ]),
          1,
        ),
      "got 4294967296 at [1]",
    ],
    [() => h.cumsum(x), "cumsum: int32 holds integers from -2147483648 to 2147483647, got 2147483648 at [0, 1]"],
    [() => h.cumsum(x, 1, { reverse: true }), "got 2147483648 at [0, 0]"],
    [() => h.reduce(x, "a b -> a", "sum"), "reduce: int32 holds"],
    [() => h.sum(int([[-(2 ** 31), -1]])), "got -2147483649;"],
  ];
  for (const [total, text] of refused)
    assert.throws(total, (error: Error) => error instanceof RangeError && error.message.includes(text), text);
  const same = (found: h.AnyTensor, expected: number[]) => assert.deepEqual([...found.dataSync()], expected);
  // On the way it may pass the bounds: only the total counts.
  same(h.sum(int([[most, 1, -1]])), [most]);
  same(h.sum(int([[-(2 ** 31), 5]])), [5 - 2 ** 31]);
  same(h.cumsum(x, 1, { exclusive: true }), [0, most, 0, 2]);
  same(h.prod(int([[65536, 65536, 0]])), [0]);
  same(h.sum(h.tensor([true, true])), [2]);
});
