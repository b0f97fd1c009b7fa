import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { autocast } from "../../src/amp/index.ts";
import { attentionMask, type Batch, dynamicPad, pack } from "../../src/batching/index.ts";
import {
  KeyValueCache,
  linear,
  multiHeadAttention,
  rotaryEmbedding,
  sequential,
  transformerDecoderLayer,
  transformerEncoderLayer,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { item, leaves, randn, square, sum, tensor, valueAndGrad } from "../../src/tensor/index.ts";
import { assertClose, referenceOf } from "./reference.ts";

await ready();

const distance = (a: unknown, b: unknown): number =>
  tf.tidy(() => tf.max(tf.abs(tf.sub(a as Tensor, b as Tensor))).dataSync()[0]!);

describe("multiHeadAttention", () => {
  const x = randn([2, 4, 8], { from: 1 });

  test("with a cache gives each position what causal attention gives it", () => {
    for (const options of [{}, { keyValueHeads: 2 }, { positions: "rotary" as const, keyValueHeads: 1 }]) {
      const layer = multiHeadAttention({ features: 8, heads: 4, causal: true, from: 2, ...options });
      const whole = layer.apply(layer.parameters, x);
      const cache = new KeyValueCache();
      const parts = [
        [0, 2],
        [2, 1],
        [3, 1],
      ].map(([from, size]) => layer.apply(layer.parameters, { x: tf.slice(x, [0, from!, 0], [2, size!, 8]), cache }));
      assert.equal(cache.length, 4);
      assert.ok(distance(tf.concat(parts as Tensor[], 1), whole) < 1e-6);
      cache.dispose();
      assert.equal(cache.length, 0);
    }
  });

  test("takes the mask of a packed batch, so that sequences see themselves only", () => {
    const batch = pack(
      [
        [1, 2],
        [3, 4, 5],
      ],
      { maxLength: 5, algorithm: "first-fit" },
    );
    const layer = multiHeadAttention({ features: 8, heads: 2, positions: "rotary", from: 3 });
    const row = randn([1, 5, 8], { from: 4 });
    const positions = tensor(batch.positions, { dtype: "int32", shape: [1, 5] });
    const packed = layer.apply(layer.parameters, { x: row, mask: attentionMask(batch), positions });
    const alone = [
      [0, 2],
      [2, 3],
    ].map(([from, size]) => layer.apply(layer.parameters, tf.slice(row, [0, from!, 0], [1, size!, 8])));
    assert.ok(distance(packed, tf.concat(alone as Tensor[], 1)) < 1e-6);
  });

  test("with rotary positions depends on the distances of positions only", () => {
    const layer = multiHeadAttention({ features: 8, heads: 2, positions: "rotary", rotaryBase: 100, from: 3 });
    const shifted = layer.apply(layer.parameters, { x, positions: tensor([7, 8, 9, 10], { dtype: "int32" }) });
    assert.ok(distance(layer.apply(layer.parameters, x), shifted) < 1e-6);
    const others = layer.apply(layer.parameters, { x, positions: tensor([0, 2, 4, 6], { dtype: "int32" }) });
    assert.ok(distance(layer.apply(layer.parameters, x), others) > 1e-4);
  });

  test("drops weights in training only, by the seed", () => {
    const layer = multiHeadAttention({ features: 8, heads: 2, dropout: 0.5, from: 3 });
    const run = (options: object) => layer.apply(layer.parameters, x, options);
    assert.equal(distance(run({ training: true, seed: 1 }), run({ training: true, seed: 1 })), 0);
    assert.ok(distance(run({ training: true, seed: 1 }), run({ training: true, seed: 2 })) > 1e-3);
    assert.equal(distance(run({}), run({ seed: 2 })), 0);
  });

  test("refuses sizes and shapes that do not fit, in one sentence", () => {
    const name = "RangeError";
    const message = "multiHeadAttention: features must be a multiple of heads, got 64 features and 5 heads";
    // @ts-expect-error multiHeadAttention: features must be a multiple of heads, got 64 features and 5 heads
    assert.throws(() => multiHeadAttention({ features: 64, heads: 5 }), { name, message });
    assert.throws(() => multiHeadAttention({ features: 8, heads: 4, keyValueHeads: 3 }), {
      name,
      message: "multiHeadAttention: heads must be a multiple of keyValueHeads, got 4 heads and 3 of keys and values",
    });
    assert.throws(() => multiHeadAttention({ features: 12, heads: 4, positions: "rotary" }), {
      name,
      message: "multiHeadAttention: rotary positions need an even number of features per head, got 12 / 4 = 3",
    });
    const layer = multiHeadAttention({ features: 8, heads: 2 });
    const cross = multiHeadAttention({ features: 8, heads: 2, crossFeatures: 6 });
    const context = randn([2, 3, 6]);
    // @ts-expect-error multiHeadAttention: expected [..., 8], got [2, 4, 7]
    assert.throws(() => layer.apply(layer.parameters, randn([2, 4, 7])), {
      message: "multiHeadAttention: expected [batch, time, 8], got [2, 4, 7]",
    });
    assert.throws(() => layer.apply(layer.parameters, { x, mask: tf.ones([3, 4], "bool") }), {
      name: "ShapeError",
      message: "multiHeadAttention: the mask [3, 4] does not broadcast to the scores [2, 2, 4, 4]",
    });
    assert.throws(() => layer.apply(layer.parameters, { x, keyPadding: tf.ones([2, 3], "bool") }), {
      name: "ShapeError",
      message: "multiHeadAttention: keyPadding must be [2, 4], got [2, 3]",
    });
    assert.throws(() => layer.apply(layer.parameters, { x, positions: tf.range(0, 3, 1, "int32") }), {
      message: "multiHeadAttention: the positions must be [4] or [2, 4], got [3]",
    });
    assert.throws(() => cross.apply(cross.parameters, { x, context: randn([1, 3, 6]) }), {
      message: "multiHeadAttention (context): expected [2, time, 6], got [1, 3, 6]",
    });
    assert.throws(() => layer.apply(layer.parameters, { x, keyPadding: tf.zeros([2, 4]) }), {
      name: "TypeError",
      message: "multiHeadAttention: keyPadding must be bool or int32, true or 1 for a token, got float32",
    });
    assert.throws(() => layer.apply(layer.parameters, { x, mask: tf.scalar(true, "bool") }), {
      name: "ShapeError",
      message: "multiHeadAttention: the mask [] does not broadcast to the scores [2, 2, 4, 4]",
    });
    const decoder = transformerDecoderLayer({ features: 8, heads: 2 });
    assert.throws(
      () => decoder.apply(decoder.parameters, { x } as never),
      /\(memory\): expected a tensor, got undefined/,
    );
    assert.throws(() => layer.apply(layer.parameters, { x, context } as never), { name: "TypeError" });
    assert.throws(() => cross.apply(cross.parameters, { x } as never), { name: "TypeError" });
  });
});

test("rotaryEmbedding turns pairs of features by the position", () => {
  // NumPy: feature 0 and 2 of position 3 turn by 3, feature 1 and 3 by 3 / 10.
  const y = rotaryEmbedding(tensor([[[[1, 1, 0, 0]]]]), { positions: tensor([3], { dtype: "int32" }), base: 100 });
  const expected = [Math.cos(3), Math.cos(0.3), Math.sin(3), Math.sin(0.3)];
  for (const [i, value] of y.dataSync().entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-6);
});

test("encoder layers are layers of sequential, and a decoder layer takes a memory of another width", () => {
  const net = sequential([
    linear({ in: 3, out: 8, from: 1 }),
    transformerEncoderLayer({ features: 8, heads: 2, from: 2 }),
    linear({ in: 8, out: 5, from: 3 }),
  ]);
  assert.deepEqual(net.apply(net.parameters, randn([2, 4, 3])).shape, [2, 4, 5]);
  const layer = transformerDecoderLayer({ features: 8, heads: 2, crossFeatures: 6 });
  assert.deepEqual(layer.apply(layer.parameters, { x: randn([2, 4, 8]), memory: randn([2, 3, 6]) }).shape, [2, 4, 8]);
  // @ts-expect-error transformerEncoderLayer: features must be a multiple of heads, got 8 features and 3 heads
  assert.throws(() => transformerEncoderLayer({ features: 8, heads: 3 }), RangeError);
  assert.throws(() => transformerEncoderLayer({ features: 8, heads: 2, activation: "tanh" as never }), {
    name: "TypeError",
    message: 'transformerEncoderLayer: activation must be "relu", "gelu", "geluTanh", "swiGLU", got "tanh"',
  });
});

test("an encoder and decoder gives pairs the same logits padded on either side, and packed", () => {
  const config = {
    sourceVocabularySize: 9,
    targetVocabularySize: 9,
    startToken: 1,
    maxLength: 12,
    features: 8,
    heads: 2,
    layers: 1,
  };
  const model = transformerSeq2Seq({ ...config, seed: 1 });
  const [sources, targets] = [
    [
      [2, 3, 4],
      [5, 6],
    ],
    [
      [1, 7],
      [1, 8, 2],
    ],
  ] as const;
  const logits = (source: Batch, target: Batch) => {
    const all = tf.reshape(model.apply(model.parameters, { source, target }), [-1, 9]);
    return tf.gather(
      all,
      [...target.mask.keys()].filter((at) => target.mask[at]),
    );
  };
  const alone = tf.concat(sources.map((source, i) => logits(dynamicPad([source]), dynamicPad([targets[i]!]))));
  for (const side of ["left", "right"] as const)
    assert.ok(distance(logits(dynamicPad(sources, { side }), dynamicPad(targets, { side })), alone) < 1e-6, side);
  const rows = { maxLength: 8, algorithm: "first-fit" } as const;
  assert.ok(distance(logits(pack(sources, rows), pack(targets, rows)), alone) < 1e-6);
});

describe("packed pairs", () => {
  const pairs = [
    { source: [2, 3, 4], target: [1, 7] },
    { source: [5, 6], target: [1, 8, 2] },
    { source: [7, 2, 3, 8, 4], target: [1] },
    { source: [6], target: [1, 3, 5, 2] },
  ].map(({ source, target }) => ({ source: { tokens: source }, target: { tokens: target } }));
  const batch = pack(pairs, { maxLength: 6, algorithm: "first-fit" });
  assert.ok(batch.source.rows > 1 && batch.source.segmentsPerRow > 1);
  const places = ({ mask }: Batch) => [...mask.keys()].filter((at) => mask[at]);

  test("have the cross-attention of each pair alone", () => {
    const layer = multiHeadAttention({ features: 8, heads: 2, crossFeatures: 6, from: 3 });
    const [queries, keys] = [randn([9, 8], { from: 4 }), randn([9, 6], { from: 5 })];
    const rowsOf = (table: Tensor, { ids, rows, time }: Batch) =>
      tf.reshape(tf.gather(table, tf.tensor1d(ids, "int32")), [rows, time, -1]);
    const attended = ({ source, target }: typeof batch) => {
      const input = { x: rowsOf(queries, target), context: rowsOf(keys, source) };
      const mask = attentionMask(target, { keys: source });
      const y = layer.apply(layer.parameters, { ...input, mask } as never) as Tensor;
      return tf.gather(tf.reshape(y, [-1, 8]), places(target));
    };
    const alone = tf.concat([...batch.indices].map((i) => attended(dynamicPad([pairs[i]!]))));
    assert.ok(distance(attended(batch), alone) < 1e-6);
  });

  test("give an encoder and decoder the loss and the gradients of the pairs alone", () => {
    const sizes = { sourceVocabularySize: 9, targetVocabularySize: 9, startToken: 1, maxLength: 12 };
    const model = transformerSeq2Seq({ ...sizes, features: 8, heads: 2, layers: 2, dropout: 0, seed: 1 });
    const lossOf = (one: typeof batch) => (p: typeof model.parameters) => {
      const logits = tf.reshape(model.apply(p, one), [-1, 9]);
      return sum(square(tf.gather(logits, places(one.target)))) as Tensor;
    };
    const packed = valueAndGrad(lossOf(batch) as never)(model.parameters as never);
    const alone = valueAndGrad(((p: typeof model.parameters) =>
      tf.addN(pairs.map((pair) => lossOf(dynamicPad([pair]))(p)))) as never)(model.parameters as never);
    assert.ok(Math.abs(item(packed.value) / item(alone.value) - 1) < 1e-6);
    const expected = new Map(leaves(alone.gradients).map(({ path, tensor }) => [path, tensor]));
    for (const { path, tensor } of leaves(packed.gradients))
      assertClose(tensor, referenceOf(expected.get(path)!), 1e-5, path);
  });
});

test("a language model runs under autocast close to float32", () => {
  const model = transformerLanguageModel({
    vocabularySize: 9,
    maxLength: 8,
    features: 16,
    heads: 4,
    layers: 2,
    positions: "rotary",
  });
  const batch = dynamicPad([
    [1, 2, 3, 4],
    [5, 6],
  ]);
  const half = autocast("bfloat16", () => model.apply(model.parameters, batch));
  assert.ok(distance(half, model.apply(model.parameters, batch)) < 0.01);
});
