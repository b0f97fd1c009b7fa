import assert from "node:assert/strict";
import { test } from "node:test";
import { autocast } from "../../src/amp/index.ts";
import { linear, linearRelu } from "../../src/nn/index.ts";
import { interceptOps, ready, runtimeInfo, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import type { AnyTensor } from "../../src/tensor/index.ts";
import { script } from "../runtime/fixture.ts";
import { assertClose, dice, tidily, toTensor } from "./naive.ts";

await ready();
const isNative = runtimeInfo().backend === "tensorflow";
const storages = isNative ? (["float32", "bfloat16", "float16"] as const) : (["float32"] as const);
/** A unit in the last place, of the inputs and of the result; in float32 the rounding of sums is larger. */
const unit = { float32: 1e-6, bfloat16: 2 ** -8, float16: 2 ** -11 };

interface Case {
  rows: number;
  depth: number;
  columns: number;
  transposesA?: boolean;
  transposesB?: boolean;
}

const random = dice(7);

/** Compares tf.matMul with sums of doubles; the error is relative to the sum of the terms' sizes. */
function check(storage: keyof typeof unit, { rows, depth, columns, transposesA = false, transposesB = false }: Case) {
  tidily(() => {
    const operand = (height: number, width: number) => {
      const values = Float32Array.from({ length: height * width }, () => random.next() * 4 - 2);
      return to(tf.tensor(values, [height, width]) as AnyTensor, storage) as AnyTensor;
    };
    const a = transposesA ? operand(depth, rows) : operand(rows, depth);
    const b = transposesB ? operand(columns, depth) : operand(depth, columns);
    const y = tf.matMul(a, b, transposesA, transposesB) as AnyTensor;
    assert.deepEqual(y.shape, [rows, columns]);
    assert.equal(storageOf(y), storage);
    const [s, t, found] = [a.dataSync(), b.dataSync(), y.dataSync()];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let [sum, size] = [0, 1e-30];
        for (let k = 0; k < depth; k++) {
          const term =
            s[transposesA ? k * rows + i : i * depth + k]! * t[transposesB ? j * depth + k : k * columns + j]!;
          sum += term;
          size += Math.abs(term);
        }
        const error = Math.abs(found[i * columns + j]! - sum);
        const text = `[${rows}, ${depth}] by [${depth}, ${columns}] in ${storage}, at ${i}, ${j}: ${error}`;
        assert.ok(error <= unit[storage] * size, text);
      }
  });
}

const flags = [false, true].flatMap((transposesA) =>
  [false, true].map((transposesB) => ({ transposesA, transposesB })),
);

for (const storage of storages) {
  test(`products in ${storage} of every size from 1 to 70 agree with sums of doubles`, () => {
    for (let size = 1; size <= 70; size++)
      for (const stored of flags) {
        check(storage, { rows: size, depth: 17, columns: 35, ...stored });
        check(storage, { rows: 5, depth: size, columns: 20, ...stored });
        check(storage, { rows: 9, depth: 19, columns: size, ...stored });
      }
  });

  test(`products in ${storage} that are computed in several parts agree with sums of doubles`, () => {
    for (const stored of flags) {
      check(storage, { rows: 40, depth: 4100, columns: 35, ...stored });
      check(storage, { rows: 1300, depth: 40, columns: 70, ...stored });
      check(storage, { rows: 3, depth: 300, columns: 1100, ...stored });
      check(storage, { rows: 30, depth: 530, columns: 290, ...stored });
    }
  });
}

test("a product without terms is 0, and one without elements is empty", () => {
  tidily(() => {
    for (const { transposesA, transposesB } of flags) {
      for (const storage of storages) {
        const none = tf.matMul(
          to(tf.ones(transposesA ? [0, 3] : [3, 0]) as AnyTensor, storage),
          to(tf.ones(transposesB ? [2, 0] : [0, 2]) as AnyTensor, storage),
          transposesA,
          transposesB,
        );
        assert.deepEqual(none.arraySync(), Array(3).fill([0, 0]));
      }
      const empty = tf.matMul(
        tf.ones(transposesA ? [4, 0] : [0, 4]),
        tf.ones(transposesB ? [2, 4] : [4, 2]),
        transposesA,
        transposesB,
      );
      assert.deepEqual(empty.shape, [0, 2]);
    }
  });
});

test("NaN and infinities reach the rows and columns that they belong to, and no others", () => {
  tidily(() => {
    for (const [rows, depth, columns] of [
      [9, 5, 33],
      [70, 300, 17],
    ] as const)
      for (const { transposesA, transposesB } of flags) {
        const a = Array.from({ length: rows }, (_, i) =>
          Array.from({ length: depth }, (_, k) => (i === 2 && k === 1 ? Number.NaN : 1)),
        );
        const b = Array.from({ length: depth }, (_, k) =>
          Array.from({ length: columns }, (_, j) => (k === 3 && j === 4 ? Infinity : 1)),
        );
        const turned = (x: number[][]) => x[0]!.map((_, i) => x.map((row) => row[i]!));
        const expected = (i: number, j: number) => (i === 2 ? Number.NaN : j === 4 ? Infinity : depth);
        for (const storage of storages) {
          const y = tf.matMul(
            to(tf.tensor2d(transposesA ? turned(a) : a) as AnyTensor, storage),
            to(tf.tensor2d(transposesB ? turned(b) : b) as AnyTensor, storage),
            transposesA,
            transposesB,
          );
          assert.deepEqual(
            y.arraySync(),
            a.map((_, i) => b[0]!.map((_, j) => expected(i, j))),
          );
        }
      }
  });
});

test("very small numbers do not spoil a product", () => {
  tidily(() => {
    const y = tf.matMul(tf.tensor2d([[1e-40, 1, 1e-30]]), tf.tensor2d([[1], [1e-40], [1e-30]])).dataSync()[0]!;
    assert.ok(Math.abs(y) <= 3e-40, `${y}`);
  });
});

test("the number of threads does not change a bit of a product", { skip: !isNative }, async () => {
  const storageModule = JSON.stringify(new URL("../../src/storage/index.js", import.meta.url));
  const code = `const { to } = await import(${storageModule}); await ready(); let hash = 0;
    for (const [m, k, n] of [[64, 4096, 64], [2048, 70, 33], [300, 300, 700], [1, 800, 900]])
      for (const storage of ["float32", "bfloat16"]) {
        const a = to(tf.randomNormal([1, m, k], 0, 1, "float32", 3), storage);
        const b = to(tf.randomNormal([1, k, n], 0, 1, "float32", 4), storage);
        const bits = new Int32Array(tf.matMul(a, b).dataSync().buffer.slice(0));
        for (const word of bits) hash = (Math.imul(hash, 31) + word) | 0;
      }
    console.log(hash);`;
  const [one, two, many] = await Promise.all(
    ["1", "2", "7"].map((TF_NUM_INTRAOP_THREADS) => script(code, { TF_NUM_INTRAOP_THREADS })),
  );
  assert.match(one!.stdout, /^-?\d+\n$/);
  assert.equal(two!.stdout, one!.stdout);
  assert.equal(many!.stdout, one!.stdout);
});

test("linear and linearRelu agree with sums of doubles, bias and gradients included", () => {
  for (const [rows, inner, out] of [
    [1, 3, 5],
    [9, 40, 33],
    [70, 17, 64],
    [40, 4100, 35],
  ] as const)
    tidily(() => {
      const random = dice(rows);
      const make = (shape: number[]) => toTensor(random.array(shape, () => random.next() - 0.5)) as AnyTensor;
      const [x, weight, bias, dy] = [make([rows, inner]), make([inner, out]), make([out]), make([rows, out])];
      const [xs, ws, bs, gs] = [x, weight, bias, dy].map((tensor) => tensor.dataSync());
      for (const rectifies of [false, true]) {
        const apply = (a: AnyTensor, w: AnyTensor, b: AnyTensor) =>
          rectifies
            ? (linearRelu(a as never, w as never, b as never, undefined) as AnyTensor)
            : (linear(a, w as never, b) as AnyTensor);
        const y = Array.from({ length: rows * out }, (_, n) => {
          let sum = bs![n % out]!;
          for (let k = 0; k < inner; k++) sum += xs![Math.floor(n / out) * inner + k]! * ws![k * out + (n % out)]!;
          return rectifies ? Math.max(0, sum) : sum;
        });
        const close = (found: AnyTensor, shape: number[], data: number[]) => assertClose(found, { shape, data }, 2e-5);
        close(apply(x, weight, bias), [rows, out], y);
        const g = y.map((value, n) => (rectifies && value <= 0 ? 0 : gs![n]!));
        const [dx, dw, db] = tf.grads((a, w, b) =>
          tf.sum(tf.mul(apply(a as AnyTensor, w as AnyTensor, b as AnyTensor), dy)),
        )([x, weight, bias]);
        const sums = (count: number, width: number, depth: number, term: (i: number, j: number, k: number) => number) =>
          Array.from({ length: count * width }, (_, n) => {
            let sum = 0;
            for (let k = 0; k < depth; k++) sum += term(Math.floor(n / width), n % width, k);
            return sum;
          });
        close(
          dx as AnyTensor,
          [rows, inner],
          sums(rows, inner, out, (i, j, k) => g[i * out + k]! * ws![j * out + k]!),
        );
        close(
          dw as AnyTensor,
          [inner, out],
          sums(inner, out, rows, (i, j, k) => xs![k * inner + i]! * g[k * out + j]!),
        );
        close(
          db as AnyTensor,
          [out],
          sums(1, out, rows, (_, j, k) => g[k * out + j]!),
        );
      }
    });
});

test("under autocast linear gives halves, with a float32 bias, in one op", { skip: !isNative }, () => {
  tidily(() => {
    const x = tf.ones([3, 4]) as AnyTensor;
    const weight = tf.ones([4, 2]) as AnyTensor;
    const ops: string[] = [];
    const stop = interceptOps((op, next) => {
      ops.push(op.name);
      return next(op);
    });
    try {
      const y = autocast("bfloat16", () => linear(x, weight as never, tf.tensor1d([0.001953125, 1])) as AnyTensor);
      assert.equal(storageOf(y), "bfloat16");
      assert.deepEqual([...y.dataSync()], [4, 5, 4, 5, 4, 5]);
    } finally {
      stop();
    }
    assert.ok(!ops.includes("BiasAdd") && ops.some((name) => name.includes("MatMul")), ops.join());
  });
});
