import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dynamicPad, pack } from "../../../src/batching/index.ts";
import { type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { withTensors } from "./checkpoint-folder.ts";
import { compare } from "./compare.ts";
import { assertNear, batchOf, fixture, fixtureFolder } from "./fixture.ts";

const fixtures: Record<string, PretrainedHead> = {
  bert: "maskedLanguageModel",
  "bert-model": "hiddenStates",
  "bert-sequence": "sequenceClassification",
  "bert-tokens": "tokenClassification",
  distilbert: "maskedLanguageModel",
  "distilbert-sequence": "sequenceClassification",
  "distilbert-tokens": "tokenClassification",
  roberta: "maskedLanguageModel",
  "roberta-sequence": "sequenceClassification",
  "roberta-tokens": "tokenClassification",
  "xlm-roberta": "hiddenStates",
  modernbert: "maskedLanguageModel",
  "modernbert-sequence-cls": "sequenceClassification",
  "modernbert-sequence-mean": "sequenceClassification",
  "modernbert-tokens": "tokenClassification",
};

describe("pretrained encoders, compared with transformers", () => {
  for (const [name, head] of Object.entries(fixtures))
    test(`hidden states, outputs, loss and gradients of ${name}`, () => compare(name, head));
});

test("reads checkpoints of the first years, which name norms as TensorFlow does and have buffers", async () => {
  const folder = withTensors("bert-sequence", (arrays) => {
    for (const [name, array] of [...arrays]) {
      const old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
      arrays.delete(name);
      arrays.set(old, array);
    }
    const ids = { shape: [1, 24], dtype: "int32", values: Int32Array.from({ length: 24 }, (_, i) => i) } as const;
    arrays.set("bert.embeddings.position_ids", { ...ids, shape: [...ids.shape] });
  });
  const model = await pretrained(folder, { head: "sequenceClassification" });
  assert.deepEqual([model.initialised, model.unused], [[], []]);
  const expected = fixture("bert-sequence");
  const logits = model.apply(model.parameters, batchOf(expected));
  assertNear([...logits.dataSync()], expected.tensors.get("logits")!.values, 1e-6, "logits");
  model.dispose();
});

test("a head that the checkpoint does not have is new, and what no head uses is named", async () => {
  const model = await pretrained(fixtureFolder("bert-sequence"), { head: "maskedLanguageModel" });
  const head = ["dense.weight", "dense.bias", "norm.scale", "norm.offset", "output.bias"];
  assert.deepEqual(
    model.initialised,
    head.map((name) => `head.${name}`),
  );
  const unused = ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias", "classifier.weight"];
  assert.deepEqual([...model.unused].sort(), unused);
  model.dispose();
});

for (const name of ["bert-sequence", "roberta-sequence", "modernbert-sequence-cls", "modernbert-sequence-mean"])
  test(`packed rows give the logits of ${name} that rows of one sequence give`, async () => {
    const model = await pretrained(fixtureFolder(name), { head: "sequenceClassification" });
    const { ids, mask } = fixture(name);
    const sequences = ids.map((row, i) => row.filter((_, t) => mask[i]![t]));
    const packed = pack(sequences, { maxLength: 12 });
    assert.ok(packed.segmentsPerRow > 1);
    const alone = model.apply(model.parameters, dynamicPad([...packed.indices].map((i) => sequences[i]!)));
    assertNear([...model.apply(model.parameters, packed).dataSync()], [...alone.dataSync()], 1e-6, "logits");
    model.dispose();
  });
