import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyTensor,
  adamW,
  dynamicPad,
  ready,
  std,
  toArray,
  train,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/index.ts";

await ready();

const deviationOf = (x: AnyTensor) => toArray(std(x)) as number;
const near = (found: number, expected: number, what: string) =>
  assert.ok(Math.abs(found / expected - 1) < 0.05, `${what}: deviation ${found}, not ${expected}`);

const sizes = { vocabularySize: 100, maxLength: 16, features: 64, heads: 4, layers: 2, dropout: 0 };

test("a language model starts with GPT-2's values: deviation 0.02, and less before a residual sum", () => {
  const { tokens, positions, layers } = transformerLanguageModel(sizes).parameters;
  near(deviationOf(tokens), 0.02, "tokens");
  near(deviationOf(positions!), 0.02, "positions");
  near(deviationOf(layers[0]!.up.weight), 0.02, "up");
  near(deviationOf(layers[1]!.down.weight), 0.02 / Math.sqrt(2 * sizes.layers), "down");
  assert.ok(layers[0]!.up.bias!.dataSync().every((value) => value === 0));
});

test("beside sines and cosines tokens start with PyTorch's deviation of 1, or an output layer's where the table is tied", () => {
  const sines = { ...sizes, positions: "sinusoidal" } as const;
  const { layers, ...untied } = transformerLanguageModel({ ...sines, tied: false }).parameters;
  near(deviationOf(untied.tokens), 1, "tokens");
  near(deviationOf(untied.output!.weight), 0.02, "output");
  near(deviationOf(layers[0]!.up.weight), 0.02, "up");
  near(deviationOf(transformerLanguageModel(sines).parameters.tokens), 1 / 8, "tied tokens");
  const pair = { ...sizes, sourceVocabularySize: 100, targetVocabularySize: 100, startToken: 1, tied: true };
  const { sourceTokens, targetTokens } = transformerSeq2Seq(pair).parameters;
  near(deviationOf(sourceTokens), 1, "source tokens");
  near(deviationOf(targetTokens), 1 / 8, "tied target tokens");
});

for (const tied of [true, false])
  test(`a language model with sines and cosines learns which token follows which${tied ? ", tied" : ""}`, async () => {
    const texts = Array.from({ length: 20 }, (_, first) => {
      const tokens = [first];
      while (tokens.length < 16) tokens.push((7 * tokens.at(-1)! + 3) % 20);
      return tokens;
    });
    const model = transformerLanguageModel({
      ...{ ...sizes, vocabularySize: 20, features: 32, layers: 1 },
      ...{ positions: "sinusoidal", tied },
    });
    const optimizer = adamW(model.parameters, { learningRate: 3e-3 });
    const settings = { steps: 40, loss: "nextToken", progress: false } as const;
    const { steps } = await train({ model, optimizer, batches: [dynamicPad(texts)], ...settings });
    // With tokens of deviation 0.02 a tied model is at 1.4 here; of 20 tokens by chance it is 3.
    assert.ok(steps.at(-1)!.loss < 0.8, `${steps.at(-1)!.loss}`);
  });
