// Trains adapters of random checkpoints for a few steps and saves them as PEFT's files, with the logits that the models compute.
// `python bench/reference/lora.py FOLDER` compares them with those of PEFT.
//
//     node dist/bench/adapters.js FOLDER
import { writeFileSync } from "node:fs";
import path from "node:path";
import { adamW, lora, type PretrainedHead, pretrained, save, train } from "../src/index.ts";
import { batchOf, fixture } from "../test/nn/pretrained/fixture.ts";

const folder = process.argv[2];
if (!folder) throw new Error("Usage: node dist/bench/adapters.js FOLDER");

const cases: [string, PretrainedHead, Parameters<typeof lora>[1]][] = [
  ["bert-sequence", "sequenceClassification", { rank: 3 }],
  ["roberta-sequence", "sequenceClassification", { rank: 2, targets: ["query", "layers.*.down"] }],
  ["distilbert-sequence", "sequenceClassification", { rank: 2, dropout: 0.2, trainable: "head" }],
  ["bert-tokens", "tokenClassification", { rank: 2, rankStabilized: true }],
  ["gpt2", "causalLanguageModel", { rank: 4, alpha: 3, targets: ["c_attn", "c_fc", "c_proj"] }],
  ["llama", "causalLanguageModel", { rank: 2, targets: ["q_proj", "k_proj", "down_proj"] }],
  ["qwen3", "causalLanguageModel", { rank: 2 }],
];
for (const [checkpoint, head, options] of cases) {
  const expected = fixture(checkpoint);
  const model = await pretrained(expected.folder, { head });
  const adapted = lora(model, { ...options, from: 1 });
  const batch = batchOf(expected);
  const loss =
    head === "causalLanguageModel"
      ? "nextToken"
      : head === "tokenClassification"
        ? "tokenCrossEntropy"
        : "crossEntropy";
  const labelled = { ...batch, labels: expected.labels.flat(), tokenLabels: expected.labels.flat() };
  await train({
    ...{ model: adapted as never, batches: [labelled] as never, loss: loss as never, steps: 5, progress: false },
    optimizer: adamW(adapted.parameters, { learningRate: 0.05 }),
  });
  const own = path.join(folder, checkpoint);
  adapted.save(own);
  save(path.join(own, "outputs.safetensors"), { logits: adapted.apply(adapted.parameters, batch) });
  writeFileSync(path.join(own, "outputs.json"), `${JSON.stringify({ checkpoint })}\n`);
  console.log(`${checkpoint}: ${Object.keys(adapted.parameters.adapters).length} linear maps`);
}
