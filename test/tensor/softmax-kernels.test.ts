import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, tidily } from "./naive.ts";

before(ready);

const values = (x: h.AnyTensor): number[] => [...x.dataSync()];

/** In doubles. */
function logSoftmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const logSum = Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0)) + largest;
  return row.map((x) => x - logSum);
}

for (const storage of ["float32", "bfloat16", "float16"] as const)
  test(`softmax, its logarithm and their gradients in ${storage}, of rows that are no multiple of a vector`, () =>
    tidily(() => {
      for (const width of [1, 3, 17, 300]) {
        const x = to(h.mul(h.randn([5, width], { from: 1 }), 3), storage) as h.AnyTensor;
        const weights = to(h.randn([5, width], { from: 2 }), storage) as h.AnyTensor;
        const rows = Array.from({ length: 5 }, (_, i) => values(x).slice(i * width, (i + 1) * width));
        const g = values(weights);
        const logs = rows.flatMap(logSoftmax);
        const shares = logs.map(Math.exp);
        const sums = (terms: number[]) =>
          terms.map((_, n) => terms.slice(n - (n % width), n - (n % width) + width).reduce((a, b) => a + b, 0));
        const along = sums(shares.map((share, n) => share * g[n]!));
        const total = sums(g);
        const tolerance = storage === "float32" ? 1e-5 : storage === "float16" ? 2 ** -8 : 2 ** -5;
        const close = (found: h.AnyTensor, data: number[]) => {
          assert.equal(storageOf(found), storage);
          assertClose(found, { shape: [5, width], data }, tolerance);
        };
        close(h.softmax(x) as h.AnyTensor, shares);
        close(h.logSoftmax(x) as h.AnyTensor, logs);
        close(
          h.grad((v: h.AnyTensor) => h.sum(h.mul(h.softmax(v), weights)))(x),
          shares.map((share, n) => share * (g[n]! - along[n]!)),
        );
        close(
          h.grad((v: h.AnyTensor) => h.sum(h.mul(h.logSoftmax(v), weights)))(x),
          shares.map((share, n) => g[n]! - share * total[n]!),
        );
      }
    }));

test("crossEntropy of large logits is exact, and its second derivative and Jacobian agree with its gradient", () =>
  tidily(() => {
    const logits = h.tensor([
      [10_000, 10_001, 9_990],
      [1, Number.NEGATIVE_INFINITY, 2],
      [5, 5, 5],
    ]) as h.AnyTensor;
    const labels = h.tensor([0, 2, -100], { dtype: "int32" }) as h.AnyTensor;
    const losses = h.crossEntropy(logits, labels, { reduction: "none" }) as h.AnyTensor;
    assertClose(
      losses,
      { shape: [3], data: [Math.log(1 + Math.E + Math.exp(-10)), Math.log(1 + Math.exp(-1)), 0] },
      1e-6,
    );
    const x = h.randn([3, 4], { from: 3 }) as h.AnyTensor;
    const own = h.tensor([1, 0, 3], { dtype: "int32" }) as h.AnyTensor;
    const options = { labelSmoothing: 0.1, weight: h.tensor([1, 2, 0.5, 1]) as h.AnyTensor };
    const f = (v: h.AnyTensor) => h.crossEntropy(v, own, { ...options, reduction: "sum" }) as h.AnyTensor;
    const gradient = h.grad(f as never)(x) as h.AnyTensor;
    const rows = h.jacobian((v: h.AnyTensor) => h.crossEntropy(v, own, { ...options, reduction: "none" }) as never)(
      x as never,
    ) as h.AnyTensor;
    assertClose(h.sum(rows, 0) as h.AnyTensor, { shape: [3, 4], data: values(gradient) }, 1e-5);
    // The sum of a gradient over the classes is 0, so that the gradient of its sum of squares is what differs from 0.
    const twice = h.grad((v: h.AnyTensor) => h.sum(h.square(h.grad(f as never)(v) as h.AnyTensor)))(x);
    const nudged = (i: number, by: number) => {
      const data = values(x);
      data[i]! += by;
      return h.reshape(h.tensor(data), [3, 4]) as h.AnyTensor;
    };
    const value = (v: h.AnyTensor) => values(h.sum(h.square(h.grad(f as never)(v) as h.AnyTensor)) as h.AnyTensor)[0]!;
    for (let i = 0; i < 12; i++) {
      const slope = (value(nudged(i, 1e-2)) - value(nudged(i, -1e-2))) / 2e-2;
      assert.ok(
        Math.abs(slope - values(twice)[i]!) < 5e-3,
        `element ${i}: slope ${slope}, gradient ${values(twice)[i]}`,
      );
    }
  }));
