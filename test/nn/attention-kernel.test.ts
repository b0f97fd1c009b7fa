import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { scaledDotProductAttention } from "../../src/nn/index.ts";
import { attend, attentionGradients } from "../../src/nn/ops/attention-core.ts";
import { type AttentionMask, maskOf, maskOfVisible } from "../../src/nn/ops/attention-mask.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import * as h from "../../src/tensor/index.ts";

before(ready);

interface Case {
  batch: number;
  heads: number;
  keyHeads: number;
  queries: number;
  keys: number;
  features: number;
  width: number;
  rate: number;
  mask?: "condition" | "causal" | "padding" | "packed" | "bias" | "blind" | "left";
}

const plain = { batch: 2, heads: 2, keyHeads: 2, queries: 9, keys: 9, features: 16, width: 16, rate: 0 };
const cases: Partial<Case>[] = [
  { batch: 1, heads: 1, keyHeads: 1, queries: 1, keys: 1, features: 1, width: 1 },
  { queries: 130, keys: 130, features: 32, width: 32, rate: 0.1 },
  { queries: 33, keys: 65, features: 64, width: 64, rate: 0.3, mask: "padding" },
  { queries: 7, keys: 40, features: 5, width: 3, rate: 0.2 },
  { queries: 1, keys: 50, features: 80, width: 80, mask: "padding" },
  { heads: 6, keyHeads: 2, queries: 17, keys: 17, features: 8, width: 24, rate: 0.2, mask: "causal" },
  { queries: 31, keys: 31, mask: "causal", rate: 0.5 },
  { queries: 40, keys: 40, mask: "left", rate: 0.1 },
  { queries: 24, keys: 24, mask: "packed", rate: 0.1 },
  { queries: 12, keys: 20, mask: "bias" },
  { queries: 12, keys: 20, mask: "condition", rate: 0.1 },
  { queries: 12, keys: 20, mask: "blind", rate: 0.1 },
];

/** A mask for the separate ops, and the options that ask for the same. */
function maskFor({ batch, heads, queries, keys, mask }: Case): { options: object; prepared?: AttentionMask } {
  const condition = (sees: (b: number, i: number, j: number) => boolean) => {
    const values = Array.from({ length: batch * queries * keys }, (_, n) =>
      sees(Math.floor(n / keys / queries), Math.floor(n / keys) % queries, n % keys),
    );
    const visible = tf.tensor4d(values, [batch, 1, queries, keys], "bool");
    return { options: { mask: visible }, prepared: maskOfVisible(visible) };
  };
  switch (mask) {
    case undefined:
      return { options: {} };
    case "causal":
      return { ...condition((_, i, j) => j <= i), options: { isCausal: true } };
    // The first queries see no key.
    case "left": {
      const sees = Array.from({ length: batch * keys }, (_, n) => n % keys >= 15 + Math.floor(n / keys));
      const { prepared } = condition((b, i, j) => j <= i && j >= 15 + b);
      return { options: { isCausal: true, mask: tf.tensor4d(sees, [batch, 1, 1, keys], "bool") }, prepared };
    }
    case "packed":
      return condition((b, i, j) => Math.floor(i / (5 + b)) === Math.floor(j / (5 + b)));
    case "condition":
      return condition((b, i, j) => (3 * i + 5 * j + b) % 4 > 0);
    case "blind":
      return condition((_, i, j) => i % 3 > 0 && j > i);
    case "padding": {
      const sees = Array.from(
        { length: batch * keys },
        (_, n) => n % keys < keys - 3 * Math.floor(n / keys) - 1 || n % keys === 0,
      );
      const visible = tf.tensor4d(sees, [batch, 1, 1, keys], "bool");
      return { options: { mask: visible }, prepared: maskOfVisible(visible) };
    }
    case "bias": {
      const bias = h.randn([heads, queries, keys], { from: 9 }) as Tensor;
      return { options: { mask: bias }, prepared: maskOf(bias) };
    }
  }
}

function assertNear(found: Tensor, expected: Tensor, tolerance: number, what: string): void {
  const [a, b] = [found, to(expected, "float32")].map((x) => x.dataSync() as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  a.forEach((value, i) => {
    assert.ok(Math.abs(value - b[i]!) <= tolerance * largest, `${what}: element ${i} is ${value}, expected ${b[i]}`);
  });
}

for (const given of cases) {
  const c: Case = { ...plain, ...given };
  test(`attention equals the separate ops: ${JSON.stringify(given)}`, () => {
    tf.tidy(() => {
      const draw = (shape: number[], from: number) => h.randn(shape, { from }) as h.AnyTensor;
      const q = draw([c.batch, c.heads, c.queries, c.features], 1);
      const k = draw([c.batch, c.keyHeads, c.keys, c.features], 2);
      const v = draw([c.batch, c.keyHeads, c.keys, c.width], 3);
      const dy = draw([c.batch, c.heads, c.queries, c.width], 4);
      const drop = c.rate > 0 ? { rate: c.rate, seed: [5, -6] as const } : undefined;
      const { options, prepared } = maskFor(c);
      const rule = { scale: 0.4, drop, mask: prepared };
      const { y, ...weights } = attend({ q, k, v }, rule);
      const rowSums = tf.sum(tf.mul(y, dy), -1, true);
      const { dq, dk, dv } = attentionGradients(dy, rowSums, { q, k, v }, weights, rule);
      for (const storage of ["float32", "bfloat16", "float16"] as const) {
        const tolerance = { float32: 4e-6, bfloat16: 2 ** -5, float16: 2 ** -5 }[storage];
        const inputs = [q, k, v].map((x) => to(x, storage)) as [h.AnyTensor, h.AnyTensor, h.AnyTensor];
        const attended = (...x: h.AnyTensor[]) =>
          scaledDotProductAttention(x[0]! as never, x[1]! as never, x[2]! as never, {
            ...{ ...options, scale: 0.4, ...(drop && { dropout: drop }) },
          }) as h.AnyTensor;
        const found = attended(...inputs);
        if (!("mask" in options && c.mask === "bias")) assert.equal(storageOf(found), storage);
        assertNear(found, y, tolerance, `${storage} output`);
        const slopes = tf.grads((...x: Tensor[]) => tf.sum(tf.mul(attended(...(x as h.AnyTensor[])), dy)))(inputs);
        [dq, dk, dv].forEach((expected, i) => {
          assertNear(slopes[i]!, expected, tolerance, `${storage} gradient ${i}`);
        });
      }
    });
  });
}

test("attention with dropout has a Jacobian, whose rows are computed inside of vmap", () => {
  tf.tidy(() => {
    const [q, k, v] = [1, 2, 3].map((from) => h.randn([1, 2, 4, 3], { from })) as [
      h.AnyTensor,
      h.AnyTensor,
      h.AnyTensor,
    ];
    const f = (x: h.AnyTensor) =>
      scaledDotProductAttention(x as never, k as never, v as never, {
        isCausal: true,
        dropout: { rate: 0.3, seed: [1, 2] },
      }) as h.AnyTensor;
    const rows = h.jacobian(f)(q as never) as h.AnyTensor;
    const slopes = h.grad((x: h.AnyTensor) => h.sum(f(x)))(q);
    assertNear(tf.sum(tf.reshape(rows, [24, 24]), 0), slopes, 1e-5, "sum of rows");
  });
});
