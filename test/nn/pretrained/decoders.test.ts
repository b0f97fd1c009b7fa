import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generate, type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { compare } from "./compare.ts";
import { assertTokensClose, batchOf, fixture } from "./fixture.ts";

const languageModels = ["gpt2", "llama", "llama-linear", "mistral", "mistral-sliding", "qwen2", "qwen3"];
const others: Record<string, PretrainedHead> = {
  "gpt2-sequence": "sequenceClassification",
  "gpt2-tokens": "tokenClassification",
  "llama-sequence": "sequenceClassification",
  "llama-tokens": "tokenClassification",
};

describe("pretrained decoders, compared with transformers", () => {
  for (const name of languageModels)
    test(`hidden states, logits, loss and gradients of ${name}`, () => compare(name, "causalLanguageModel"));

  for (const [name, head] of Object.entries(others))
    test(`hidden states, logits, loss and gradients of ${name}`, () => compare(name, head));

  test("hidden states of a checkpoint without a head, with all biases", async () => {
    const expected = fixture("llama-model");
    const model = await pretrained(expected.folder);
    const { hidden } = model.apply(model.parameters, batchOf(expected));
    assertTokensClose(hidden, expected.tensors.get("hiddenStates.1"), expected, 1e-6, "hidden states");
    model.dispose();
  });

  for (const name of languageModels)
    test(`${name} generates the same tokens, greedily and by beam search, with a cache and without`, async () => {
      const { folder, prompts, greedy, beams } = fixture(name);
      const model = await pretrained(folder, { head: "causalLanguageModel" });
      const stop = model.stopTokens[0]!;
      // transformers' results have the stop token.
      const ended = (all: number[][]) => all.map((tokens) => (tokens.at(-1) === stop ? tokens.slice(0, -1) : tokens));
      for (const cache of [true, false]) {
        const options = { maxNewTokens: 8, cache };
        assert.deepEqual(await generate(model, prompts!, options), ended(greedy!));
        assert.deepEqual(await generate(model, prompts!, { ...options, beams: 3 }), ended(beams!));
      }
      model.dispose();
    });
});
