// Numbers of PyTorch 2.15 on the CPU for the same halves, but for the product and the gradient of gather, which only its
// CUDA kernels accumulate in float32. The storages under autocast are those of its documented CUDA lists
// (docs/source/amp.rst).
import assert from "node:assert/strict";
import { test } from "node:test";
import { autocast } from "../../src/amp/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import * as h from "../../src/tensor/index.ts";

await ready();

type Half = "float16" | "bfloat16";
const loose = h as unknown as Record<string, (...args: unknown[]) => h.AnyTensor>;
const ones = (shape: number[], storage: Half, value = 1) => to(tf.fill(shape, value), storage) as h.AnyTensor;
const some = (values: number[], storage: Half) => to(tf.tensor1d(values), storage) as h.AnyTensor;
const single = (x: h.AnyTensor) => to(x, "float32");

const reductions: [string, (storage: Half) => h.AnyTensor, number | undefined, number | undefined][] = [
  ["sum over the first axis", (s) => h.sum(ones([5000, 2], s), 0), 5000, 4992],
  ["sum over a middle axis", (s) => h.sum(ones([2, 5000, 3], s), 1), 5000, 4992],
  ["sum of all", (s) => h.sum(ones([5000], s)), 5000, 4992],
  ["mean over the first axis", (s) => h.mean(ones([5000, 2], s), 0), 1, 1],
  ["mean of large numbers", (s) => h.mean(ones([3], s, 40000)), 40000, 39936],
  ["product", (s) => h.prod(some([300, 300, 1 / 64], s)), 1406, 1408],
  ["running sum", (s) => h.at(h.cumsum(ones([5000], s)), -1) as h.AnyTensor, 5000, 4992],
  ["einsum", (s) => loose.einsum!("i j -> j", ones([5000, 2], s)), 5000, 4992],
  ["reduce", (s) => loose.reduce!(ones([5000, 2], s), "a b -> b", "sum"), 5000, 4992],
  ["matmul", (s) => loose.matmul!(ones([1, 5000], s), ones([5000, 1], s)), 5000, 4992],
  ["average pool", (s) => tf.avgPool(ones([1, 4, 4, 1], s, 40000) as never, 4, 1, "valid"), 40000, 39936],
  [
    "gradient of gather",
    (s) => h.grad((t: h.AnyTensor) => h.sum(single(tf.gather(t, tf.zeros([5000], "int32")))))(ones([1], s)),
    5000,
    4992,
  ],
  [
    "gradient of a broadcast term",
    (s) => h.grad((b: h.AnyTensor) => h.sum(single(loose.add!(ones([5000, 2], s), b))))(ones([2], s)),
    5000,
    4992,
  ],
];

for (const [what, make, ...expected] of reductions)
  test(`${what} of halves accumulates in float32 and is stored in half precision`, () => {
    tf.tidy(() => {
      for (const [i, storage] of (["float16", "bfloat16"] as const).entries()) {
        const result = make(storage);
        assert.equal(storageOf(result), storage);
        assert.deepEqual([...new Set(result.dataSync())], [expected[i]]);
      }
    });
  });

const x = () => tf.tensor2d([[300, -300]]);
const label = () => tf.tensor1d([1], "int32");
const zeros = (like: h.AnyTensor) => tf.zerosLike(like);

/** What autocast makes of each, and the numbers of `[[300, -300]]` in float32. */
const composites: [string, (x: h.AnyTensor) => h.AnyTensor, "float32" | "half", number[]][] = [
  ["rmsNorm", (v) => h.rmsNorm(v), "float32", [1, -1]],
  ["layerNorm", (v) => h.layerNorm(v), "float32", [1, -1]],
  ["norm", (v) => h.norm(v), "float32", [424.26406]],
  ["norm of order 1", (v) => h.norm(v, undefined, { order: 1 }), "float32", [600]],
  ["logSumExp", (v) => h.logSumExp(v), "float32", [300]],
  ["softmax", (v) => h.softmax(v), "float32", [1, 0]],
  ["logSoftmax", (v) => h.logSoftmax(v), "float32", [0, -600]],
  ["crossEntropy", (v) => h.crossEntropy(v, label()), "float32", [600]],
  ["meanSquaredError", (v) => loose.meanSquaredError!(v, zeros(v)), "float32", [90000]],
  ["meanAbsoluteError", (v) => loose.meanAbsoluteError!(v, zeros(v)), "float32", [300]],
  ["binaryCrossEntropy", (v) => loose.binaryCrossEntropy!(v, tf.onesLike(v)), "float32", [150]],
  ["sum", (v) => h.sum(h.abs(v)), "float32", [600]],
  ["cumsum", (v) => h.cumsum(h.abs(v)), "float32", [300, 600]],
  ["square", (v) => h.square(v), "float32", [90000, 90000]],
  ["std", (v) => h.std(v), "half", [424.26406]],
  ["variance", (v) => h.variance(v), "half", [180000]],
  ["gelu", (v) => h.gelu(v), "half", [300, 0]],
  ["silu", (v) => h.silu(v), "half", [300, 0]],
  ["dropout", (v) => h.dropout(v, 0), "half", [300, -300]],
  ["einsum that sums", (v) => loose.einsum!("i j -> j", v), "float32", [300, -300]],
  ["einsum that multiplies", (v) => loose.einsum!("i j, i j -> i j", v, v), "half", [90000, 90000]],
];

const nearest = (value: number, storage: Half | "float32"): number =>
  storage === "float32" ? Math.fround(value) : to(tf.scalar(value), storage).dataSync()[0]!;

for (const [name, f, list, values] of composites)
  test(`${name} of halves is computed in float32, and follows PyTorch's list under autocast`, () => {
    tf.tidy(() => {
      for (const storage of ["float16", "bfloat16"] as const) {
        const check = (found: h.AnyTensor, wanted: Half | "float32") => {
          assert.equal(storageOf(found), wanted);
          for (const [i, value] of [...found.dataSync()].entries()) {
            const right = nearest(values[i]!, wanted);
            assert.ok(value === right || Math.abs(value - right) <= 1e-5 * Math.abs(right), `${value} for ${right}`);
          }
        };
        const half = to(x(), storage) as h.AnyTensor;
        check(f(half), storage);
        autocast(storage, () => {
          const product = loose.matmul!(x(), h.eye(2));
          assert.equal(storageOf(product), storage);
          check(f(product), list === "float32" ? "float32" : storage);
        });
      }
    });
  });

test("softplus and floorDiv of halves equal those of float32, rounded once", () => {
  tf.tidy(() => {
    for (const storage of ["float16", "bfloat16"] as const) {
      const value = to(tf.tensor1d([-2.953125, -3, 1]), storage) as h.AnyTensor;
      assert.deepEqual(h.softplus(value).dataSync(), to(h.softplus(single(value)), storage).dataSync());
      // 2.9998 and 32.99: as halves they are 3 and 33.
      const [a, b] = [
        [-0.029998779296875, 0.0576171875],
        [-0.01000213623046875, 0.00174713134765625],
      ].map((values) => to(tf.tensor1d(values), storage) as h.AnyTensor);
      const right = to(loose.floorDiv!(single(a!), single(b!)), storage);
      assert.deepEqual(loose.floorDiv!(a, b).dataSync(), right.dataSync());
    }
  });
});

test("dropout of halves stays half and scales in float32", () => {
  tf.tidy(() => {
    for (const storage of ["float16", "bfloat16"] as const) {
      const dropped = autocast(storage, () => h.dropout(ones([1000], storage, 3), 0.1));
      assert.equal(storageOf(dropped), storage);
      assert.deepEqual([...new Set(dropped.dataSync())].sort(), [0, nearest(3 / 0.9, storage)]);
    }
  });
});

test("gradients of halves through functions of several ops are finite and half", () => {
  tf.tidy(() => {
    for (const storage of ["float16", "bfloat16"] as const)
      for (const [name, f] of composites) {
        const gradient = h.grad((v: h.AnyTensor) => h.sum(single(f(v))))(to(x(), storage) as h.AnyTensor);
        assert.equal(storageOf(gradient), storage, name);
        const overflows = storage === "float16" && name === "variance";
        assert.ok(overflows || gradient.dataSync().every(Number.isFinite), `${storage} ${name}`);
      }
    const curved = h.grad((v: h.AnyTensor) => h.sum(single(h.gelu(v, "tanh"))))(some([300, -300], "float16"));
    assert.deepEqual([...curved.dataSync()].map(Math.abs), [1, 0]);
  });
});
