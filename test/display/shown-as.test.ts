import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  adamW,
  dynamicLengthBatches,
  GradScaler,
  parameters,
  ready,
  sgd,
  tensor,
  transformerClassifier,
  zeros,
} from "../../src/index.ts";

await ready();

test("a model's summary has its sizes and the parameters of each part", () => {
  const sizes = { vocabularySize: 20, classes: 10, maxLength: 64, features: 32, heads: 2, hidden: 64 };
  // Computed by hand: 32 * 96 + 96 + 32 * 32 + 32 + 2 * 32 * 64 + 64 + 32 + 4 * 32 in a layer.
  assert.equal(
    inspect(transformerClassifier({ ...sizes, layers: 2 })),
    [
      "Transformer of 2 layers of 32 features and 2 heads, at most 64 tokens to 10 classes; parameters:",
      "  tokens                 640",
      "  layers.0             8,544",
      "  layers.1             8,544",
      "  norm                    64",
      "  classifier             330",
      "  all                 18,122",
    ].join("\n"),
  );
});

test("the summary of batches has their contents and the share of padding", () => {
  const sequences = [4, 4, 4, 2].map((length) => new Int32Array(length).fill(1));
  assert.equal(
    inspect({ batches: dynamicLengthBatches(sequences, { batchSize: 4 }) }),
    "{\n  batches: Batches, dynamic length: 4 sequences in 1 batches of 1 shapes, 14 tokens, 12.5 % padding\n}",
  );
});

test("the summary of an optimizer and a scaler has their progress", () => {
  const model = parameters({ weight: zeros([3]), bias: zeros([1]) });
  const optimizer = sgd(model, { learningRate: 0.1 });
  assert.equal(inspect(optimizer), "SGD of 4 parameters in 2 tensors: learning rate 0.1, 0 steps taken");
  assert.match(inspect(adamW(model)), /^AdamW of 4 parameters/);
  const scaler = new GradScaler({ initScale: 8, growthInterval: 5 });
  scaler.scale(tensor(1));
  scaler.step(optimizer, [tensor([8, 8, 8]), tensor([8])]);
  scaler.update();
  assert.match(inspect(optimizer), /1 steps taken/);
  assert.equal(inspect(scaler), "GradScaler: scale 8, times 2 after 5 finite steps (1 so far)");
});
