import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scalar, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { addWithDropout, attention } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import { dice } from "../tensor/naive.ts";

await ready();
const chosen = tf.getBackend();

const [rows, time, heads, size] = [2, 5, 2, 4];
const features = heads * size;

/**
 * softmax(q k^T / sqrt(size) + bias) v in doubles, and 0 where every key is hidden: PyTorch's
 * scaled_dot_product_attention with -inf in its attn_mask (torch 2.5 and later).
 */
function expected(projected: readonly number[], sees: (row: number, query: number, key: number) => boolean): number[] {
  const at = (row: number, t: number, part: number, head: number, i: number) =>
    projected[(row * time + t) * 3 * features + part * features + head * size + i]!;
  const out: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let query = 0; query < time; query++)
      for (let head = 0; head < heads; head++) {
        const keys = [...Array(time).keys()].filter((key) => sees(row, query, key));
        const scores = keys.map((key) => {
          let score = 0;
          for (let i = 0; i < size; i++) score += at(row, query, 0, head, i) * at(row, key, 1, head, i);
          return score / Math.sqrt(size);
        });
        const top = Math.max(...scores);
        const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
        for (let i = 0; i < size; i++)
          out.push(keys.reduce((y, key, n) => y + (Math.exp(scores[n]! - top) / total) * at(row, key, 2, head, i), 0));
      }
  return out;
}

const masks: Record<string, (row: number, query: number, key: number) => boolean> = {
  "padding after, and a row of padding alone": (row, _, key) => row === 0 && key < 3,
  "padding before": (row, _, key) => key >= (row === 0 ? 2 : 4),
  "packed sequences and padding": (row, query, key) => query < 4 && key < 4 && query < 2 === key < 2 && row + key > 0,
  "keys before the query": (_, query, key) => key < query,
};

for (const backend of new Set([chosen, "cpu"]))
  for (const [what, sees] of Object.entries(masks))
    test(`a query whose keys are all hidden gives 0 and finite gradients on ${backend}, with ${what}`, async () => {
      await tf.setBackend(backend);
      try {
        // Of the larger inputs, scores reach 330,000, over float16's 65,504.
        for (const storage of ["float32", "bfloat16", "float16"] as const)
          for (const hidden of [-1e4, -3.4e38, -Infinity])
            for (const scale of [1, 256]) checkMask(storage, hidden, scale, sees);
      } finally {
        await tf.setBackend(chosen);
      }
    });

function checkMask(
  storage: "float32" | "bfloat16" | "float16",
  hidden: number,
  scale: number,
  sees: (row: number, query: number, key: number) => boolean,
): void {
  tf.tidy(() => {
    const { whole } = dice(8);
    // Eighths, which each storage holds; the values are not scaled, only queries and keys.
    const projected = Array.from({ length: rows * time * 3 * features }, (_, i) => {
      const isValue = i % (3 * features) >= 2 * features;
      return (whole(-16, 16) / 8) * (isValue ? 1 : scale);
    });
    const bias = tf.tidy(() => {
      const values = tf.buffer([rows, 1, time, time]);
      for (let row = 0; row < rows; row++)
        for (let query = 0; query < time; query++)
          for (let key = 0; key < time; key++) values.set(sees(row, query, key) ? 0 : hidden, row, 0, query, key);
      return values.toTensor();
    });
    const input = to(tf.tensor2d(projected, [rows * time, 3 * features]), storage) as Tensor2D;
    const y = attention(input, { rows, time, heads, bias });
    assert.equal(storageOf(y), storage);
    const tolerance = { float32: 1e-5, bfloat16: 0.15, float16: 0.02 }[storage];
    const right = expected(projected, sees);
    for (const [i, value] of y.dataSync().entries()) {
      const where = `${storage}, hidden by ${hidden}, scaled by ${scale}, element ${i}`;
      assert.ok(Math.abs(value - right[i]!) <= tolerance, `${where}: ${value} for ${right[i]}`);
      if (right[i] === 0) assert.ok(Math.abs(value) <= (isBlind(i, sees) ? 0 : tolerance), `${where}: ${value}`);
    }
    const gradient = tf.grad((x) => tf.sum(attention(x as Tensor2D, { rows, time, heads, bias })) as Scalar)(input);
    const slopes = gradient.dataSync();
    assert.ok(slopes.every(Number.isFinite), `${storage}, hidden by ${hidden}: the gradient is not finite`);
    for (let i = 0; i < slopes.length; i++) {
      const [token, part] = [Math.floor(i / (3 * features)), Math.floor((i % (3 * features)) / features)];
      const [row, t] = [Math.floor(token / time), token % time];
      const isSeen = [...Array(time).keys()].some((query) => sees(row, query, t));
      if (part > 0 && !isSeen) assert.equal(Math.abs(slopes[i]!), 0, `hidden key ${t} of row ${row} has a gradient`);
      if (part === 0 && isBlind(token * features, sees)) assert.equal(Math.abs(slopes[i]!), 0);
    }
  });
}

/** Does the query of an element of the result see nothing? */
function isBlind(element: number, sees: (row: number, query: number, key: number) => boolean): boolean {
  const token = Math.floor(element / features);
  return ![...Array(time).keys()].some((key) => sees(Math.floor(token / time), token % time, key));
}

test("a hidden key stays hidden whatever its score", () => {
  // The second key's score is 80,000: more than any finite bias of before took away.
  const q = [200, 200, 200, 200];
  const projected = [...q, 0, 0, 0, 0, 1, 2, 3, 4, ...q, ...q, 5, 6, 7, 8];
  for (const storage of ["float32", "float16"] as const)
    for (const hidden of [-3e4, -1e9, -Infinity])
      tf.tidy(() => {
        const input = to(tf.tensor2d(projected, [2, 12]), storage) as Tensor2D;
        const bias = tf.tensor4d([0, hidden], [1, 1, 1, 2]);
        const y = attention(input, { rows: 1, time: 2, heads: 1, bias });
        assert.deepEqual([...y.dataSync()], [1, 2, 3, 4, 1, 2, 3, 4]);
      });
});

test("scores above 65504 in float16 give the same weights as in PyTorch, which computes them in float32", () => {
  // Scores of the first query: 40,000 times 1, 4 and 3, over 2, so that the second key is chosen.
  const key = (factor: number) => [100, 100, 100, 100].map((x) => x * factor);
  const token = (k: number, v: number) => [...key(1), ...key(k), v, v, v, v];
  const input = to(tf.tensor2d([...token(1, 1), ...token(4, 2), ...token(3, 3)], [3, 12]), "float16") as Tensor2D;
  const y = attention(input, { rows: 1, time: 3, heads: 1 });
  assert.deepEqual([...y.dataSync()], Array<number>(12).fill(2));
  const huge = to(tf.tensor2d([...token(150, 1), ...token(600, 2), ...token(450, 3)], [3, 12]), "float16") as Tensor2D;
  const slopes = tf
    .grad((x) => tf.sum(attention(x as Tensor2D, { rows: 1, time: 3, heads: 1 })))(huge)
    .dataSync();
  assert.ok(slopes.every(Number.isFinite));
});

test("attention rejects an input that does not fit rows, time and heads, and a bias that does not fit the scores", () => {
  const run = (shape: [number, number], options: Parameters<typeof attention>[1]) => () =>
    attention(tf.zeros(shape) as Tensor2D, options);
  const name = "ShapeError";
  for (const [shape, heads] of [
    [[2, 9], 2],
    [[2, 8], 1],
    [[3, 6], 1],
  ] as const)
    assert.throws(run([...shape], { rows: 2, time: 1, heads }), {
      name,
      message: /attention: .*2 \* 1 rows and a multiple/,
    });
  assert.throws(run([2, 6], { rows: 1, time: 2, heads: 1, bias: tf.zeros([1, 1, 1, 3]) }), {
    name,
    message: "attention: the bias [1, 1, 1, 3] does not broadcast to the scores [1, 1, 2, 2]",
  });
});

test("an invalid dropout rate is rejected", () => {
  const x = tf.zeros([1, 3]) as Tensor2D;
  for (const rate of [1, 2, -0.5, Number.NaN]) {
    const dropout = { rate, seed: [1, 2] as const };
    const message = (op: string) => `${op}: the dropout rate must be at least 0 and below 1, got ${rate}`;
    assert.throws(() => addWithDropout(x, x, dropout), new RangeError(message("addWithDropout")));
    const options = { rows: 1, time: 1, heads: 1, dropout };
    assert.throws(() => attention(x, options), new RangeError(message("attention")));
  }
});
