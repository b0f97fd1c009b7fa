import assert from "node:assert/strict";
import { test } from "node:test";
import { dynamicPad, ready, toArray, transformerClassifier, transformerLanguageModel } from "../../src/index.ts";

await ready();

test("a model gives the same outputs in every call with the same options object", () => {
  const sizes = { vocabularySize: 10, maxLength: 8, features: 8, heads: 2, layers: 1, dropout: 0.5 };
  const batch = dynamicPad([
    [1, 2, 3],
    [4, 5],
  ]);
  const options = { training: true, seed: 3 };
  const classifier = transformerClassifier({ ...sizes, classes: 3 });
  const writer = transformerLanguageModel(sizes);
  const classes = () => toArray(classifier.apply(classifier.parameters, batch, options) as never);
  const tokens = () => toArray(writer.apply(writer.parameters, batch, options));
  assert.deepEqual(classes(), classes());
  assert.deepEqual(tokens(), tokens());
});
