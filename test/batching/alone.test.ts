import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import {
  type Batches,
  bucketByLength,
  dynamicLengthBatches,
  dynamicPad,
  fixedLengthBatches,
  packedBatches,
  tokenBudgetBatches,
  uniformLengthBatches,
} from "../../src/batching/index.ts";
import { labelTensor, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { crossEntropy, parameterList } from "../../src/tensor/index.ts";
import { evaluate, valueAndGradients } from "../../src/train/index.ts";

await ready();

// Every sequence has token ids of its own, so that the embedding's gradient tells who was seen by whom.
const lengths = [7, 2, 1, 12, 4, 9, 3];
let id = 1;
const examples = lengths.map((length, i) => ({ tokens: Int32Array.from({ length }, () => id++), label: i % 3 }));
const model = transformerClassifier({
  vocabularySize: id,
  classes: 3,
  maxLength: 16,
  features: 16,
  heads: 2,
  layers: 2,
  dropout: 0,
  seed: 3,
});
const parameters = parameterList(model.parameters);
const variables = parameters.map(({ variable }) => variable);

const strategies: Record<string, Batches> = {
  "fixed length": fixedLengthBatches(examples, { batchSize: 3, maxLength: 16, seed: 1 }),
  "fixed length, padded before": fixedLengthBatches(examples, { batchSize: 3, maxLength: 16, seed: 1, side: "left" }),
  "dynamic length": dynamicLengthBatches(examples, { batchSize: 3, seed: 1, padToMultipleOf: 4 }),
  "uniform length": uniformLengthBatches(examples, { batchSize: 3, seed: 1 }),
  buckets: bucketByLength(examples, { batchSize: 2, shapes: 2, seed: 1 }),
  "token budget": tokenBudgetBatches(examples, { maxTokens: 24, seed: 1 }),
  packed: packedBatches(examples, { batchSize: 2, maxLength: 16, seed: 1 }),
  "packed, padded before": packedBatches(examples, { batchSize: 3, maxLength: 16, seed: 1, side: "left" }),
  "packed, first fit": packedBatches(examples, { batchSize: 3, maxLength: 14, seed: 1, algorithm: "first-fit" }),
};

/** The gradients of one sequence's loss, by each parameter, and its logits. */
function lossOf(batches: Iterable<Parameters<typeof labelTensor>[0]>, index: number) {
  for (const batch of batches) {
    const at = batch.indices.indexOf(index);
    if (at < 0) continue;
    let logits: number[] = [];
    const { value, gradients } = valueAndGradients(() => {
      const own = tf.slice(model.apply(model.parameters, batch), [at, 0], [1, 3]) as Tensor2D;
      logits = [...own.dataSync()];
      return crossEntropy(own, tf.slice(labelTensor(batch), at, 1)) as Scalar;
    }, variables);
    return { loss: value.dataSync()[0]!, logits, gradients };
  }
  throw new Error(`no batch has sequence ${index}`);
}

const alone = examples.map((example, i) => {
  const batch = dynamicPad([example]);
  batch.labels = Float32Array.of(example.label);
  batch.indices[0] = i;
  return lossOf([batch], i);
});

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < found.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
  }
  assert.equal(found.length, expected.length);
  assert.ok(worst <= 2e-5 * Math.max(largest, 1e-2), `${what}: off by ${worst} of ${largest}`);
}

for (const [name, batches] of Object.entries(strategies)) {
  describe(name, () => {
    test("gives each sequence the same logits, loss and gradients as alone", () => {
      examples.forEach((_, i) => {
        const { loss, logits, gradients } = lossOf(batches, i);
        assertNear(logits, alone[i]!.logits, `logits of sequence ${i}`);
        assertNear([loss], [alone[i]!.loss], `loss of sequence ${i}`);
        gradients.forEach((gradient, p) => {
          assertNear(gradient.dataSync(), alone[i]!.gradients[p]!.dataSync(), `sequence ${i}, ${parameters[p]!.name}`);
        });
      });
    });

    test("gives padding and other sequences a gradient of exactly 0", () => {
      const tokens = parameters.findIndex(({ name }) => name === "tokens");
      examples.forEach((example, i) => {
        const perToken = lossOf(batches, i).gradients[tokens] as Tensor;
        const sums = tf.sum(tf.abs(perToken), 1).dataSync();
        sums.forEach((sum, token) => {
          if (example.tokens.includes(token)) assert.ok(sum > 0, `token ${token} of sequence ${i} has no gradient`);
          else assert.equal(sum, 0, `token ${token} has a gradient from sequence ${i}`);
        });
      });
    });

    test("gives the same mean loss and accuracy over the data set", () => {
      const { loss, accuracy } = evaluate(model, batches);
      assertNear([loss], [alone.reduce((sum, one) => sum + one.loss, 0) / alone.length], "mean loss");
      const right = alone.filter(({ logits }, i) => logits.indexOf(Math.max(...logits)) === examples[i]!.label);
      assert.ok(Math.abs(accuracy - right.length / examples.length) < 1e-6);
    });
  });
}
