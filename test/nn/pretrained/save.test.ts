import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { ready } from "../../../src/runtime/index.ts";
import { storageOf } from "../../../src/storage/index.ts";
import { parameterList } from "../../../src/tensor/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { arraysIn, copyOf, withTensors } from "./checkpoint-folder.ts";
import { assertNear, assertTokensClose, batchOf, fixture, fixtureFolder } from "./fixture.ts";

const { backend } = await ready();

type Json = Record<string, unknown>;
const jsonIn = (folder: string, file: string): Json =>
  JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Json;

/** Every array of a folder, of one file or of those that the index names. */
function allArrays(folder: string): ReturnType<typeof arraysIn> {
  const files = readdirSync(folder).filter((name) => /^model.*\.safetensors$/.test(name));
  return new Map(files.flatMap((file) => [...arraysIn(folder, file)]));
}

const heads: Record<string, PretrainedHead> = {
  "bert-model": "hiddenStates",
  "bert-sequence": "sequenceClassification",
  "distilbert-tokens": "tokenClassification",
  roberta: "maskedLanguageModel",
  "xlm-roberta": "hiddenStates",
  modernbert: "maskedLanguageModel",
  gpt2: "causalLanguageModel",
  llama: "causalLanguageModel",
};

describe("a saved model", () => {
  for (const [name, head] of Object.entries(heads))
    test(`has the tensors and the config of the checkpoint ${name}`, async () => {
      const source = fixtureFolder(name);
      const model = await pretrained(source, { head });
      const folder = temporaryFolder();
      model.save(folder);
      assert.deepEqual(new Map([...allArrays(folder)].sort()), new Map([...allArrays(source)].sort()));
      const { dtype, ...config } = jsonIn(folder, "config.json");
      const { dtype: _, id2label, label2id, ...original } = jsonIn(source, "config.json");
      const { id2label: names, label2id: __, ...values } = config;
      assert.deepEqual([dtype, values], ["float32", original]);
      assert.equal(Object.keys((names as object | undefined) ?? {}).length, head.endsWith("Classification") ? 3 : 0);
      assert.deepEqual(id2label ?? names, names);
      assert.equal(label2id === undefined, id2label === undefined);
      model.dispose();
    });

  test("keeps the floats of the config that are whole numbers, which transformers asks for", async () => {
    const model = await pretrained(fixtureFolder("modernbert"));
    const folder = temporaryFolder();
    model.save(folder);
    assert.match(readFileSync(path.join(folder, "config.json"), "utf8"), /"initializer_cutoff_factor": 2\.0,/);
    model.dispose();
  });

  test("of more than a shard's size has an index, and replaces the files that the folder had", async () => {
    const model = await pretrained(fixtureFolder("bert-model"));
    const folder = copyOf("bert-model");
    model.save(folder, { maxShardBytes: 4000 });
    const files = readdirSync(folder).filter((file) => file.startsWith("model"));
    const count = files.length - 1;
    assert.ok(count > 2);
    assert.equal(files[0], `model-00001-of-0000${count}.safetensors`);
    const { weight_map: map } = jsonIn(folder, "model.safetensors.index.json");
    assert.deepEqual(Object.keys(map as object).sort(), [...arraysIn(fixtureFolder("bert-model")).keys()].sort());
    const again = await pretrained(folder);
    const values = (parameters: object) => parameterList(parameters).map(({ variable }) => [...variable.dataSync()]);
    assert.deepEqual(values(again.parameters), values(model.parameters));
    model.save(folder);
    assert.deepEqual(
      readdirSync(folder).filter((file) => file.startsWith("model")),
      ["model.safetensors"],
    );
    assert.throws(
      () => model.save(folder, { maxShardBytes: 0 }),
      /^RangeError: save: maxShardBytes must be a positive/,
    );
    for (const each of [model, again]) each.dispose();
  });

  for (const half of ["bfloat16", "float16"] as const)
    test(`in ${half} is read exactly, as it was or as float32`, async () => {
      const model = await pretrained(fixtureFolder("bert-sequence"), { head: "sequenceClassification", dtype: half });
      const batch = batchOf(fixture("bert-sequence"));
      const folder = temporaryFolder();
      model.save(folder);
      assert.equal(jsonIn(folder, "config.json").dtype, half);
      assert.ok([...arraysIn(folder).values()].every(({ storage }) => storage === half));
      const same = await pretrained(folder, { head: "sequenceClassification", dtype: "checkpoint" });
      const full = await pretrained(folder, { head: "sequenceClassification" });
      for (const [i, { name, variable }] of parameterList(model.parameters).entries())
        for (const [other, storage] of [
          [same, half],
          [full, "float32"],
        ] as const) {
          const own = parameterList(other.parameters)[i]!.variable;
          assert.equal(storageOf(own), storage);
          assert.deepEqual([...own.dataSync()], [...variable.dataSync()], name);
        }
      const [logits, expected] = [same, full].map((each) => [...each.apply(each.parameters, batch).dataSync()]);
      assertNear(logits!, expected!, half === "bfloat16" ? 0.05 : 0.01, "logits");
      for (const each of [model, same, full]) each.dispose();
    });

  const isExact = { skip: backend === "wasm" && "float64 is float32 on WebAssembly" };
  test("in float64 is read and saved exactly", isExact, async () => {
    const source = withTensors("bert-sequence", (arrays) => {
      for (const [name, array] of arrays) {
        const values = Float64Array.from(array.values as Float32Array, (value) => value / 3);
        arrays.set(name, { ...array, storage: "float64", values });
      }
    });
    const model = await pretrained(source, { head: "sequenceClassification", dtype: "checkpoint" });
    const folder = temporaryFolder();
    model.save(folder);
    assert.deepEqual(new Map([...allArrays(folder)].sort()), new Map([...allArrays(source)].sort()));
    model.dispose();
  });

  test("has the names of its classes, its new head and the tokenizer's files", async () => {
    const source = copyOf("bert-model");
    writeFileSync(path.join(source, "tokenizer.json"), "{}");
    mkdirSync(path.join(source, "1_Pooling"));
    writeFileSync(path.join(source, "1_Pooling/config.json"), '{"pooling_mode_mean_tokens": true}');
    const model = await pretrained(source, { head: "sequenceClassification", classes: ["ham", "spam"], seed: 3 });
    assert.deepEqual(model.initialised, ["head.classifier.weight", "head.classifier.bias"]);
    const folder = path.join(temporaryFolder(), "saved/here");
    model.save(folder);
    const { architectures, id2label, label2id } = jsonIn(folder, "config.json");
    assert.deepEqual(architectures, ["BertForSequenceClassification"]);
    assert.deepEqual(
      [id2label, label2id],
      [
        { 0: "ham", 1: "spam" },
        { ham: 0, spam: 1 },
      ],
    );
    assert.equal(readFileSync(path.join(folder, "tokenizer.json"), "utf8"), "{}");
    assert.deepEqual(readdirSync(path.join(folder, "1_Pooling")), ["config.json"]);
    const again = await pretrained(folder, { head: "sequenceClassification" });
    assert.deepEqual([again.initialised, again.labels], [[], ["ham", "spam"]]);
    const same = await pretrained(source, { head: "sequenceClassification", classes: 2, seed: 3 });
    const weights = ({ parameters }: { parameters: object }) =>
      parameterList(parameters).flatMap(({ variable }) => [...variable.dataSync()]);
    assert.deepEqual(weights(again), weights(model));
    assert.deepEqual(weights(same), weights(model));
    for (const each of [model, again, same]) each.dispose();
  });

  test("whose output layer is not tied has it as a tensor", async () => {
    const folder = withTensors("roberta", (arrays) => {
      arrays.set("lm_head.decoder.weight", arrays.get("roberta.embeddings.word_embeddings.weight")!);
    });
    const config = jsonIn(folder, "config.json");
    writeFileSync(path.join(folder, "config.json"), JSON.stringify({ ...config, tie_word_embeddings: false }));
    const model = await pretrained(folder, { head: "maskedLanguageModel" });
    const logits = model.apply(model.parameters, batchOf(fixture("roberta")));
    assertTokensClose(logits, fixture("roberta").tensors.get("logits"), fixture("roberta"), 1e-6, "logits");
    const saved = temporaryFolder();
    model.save(saved);
    assert.deepEqual(arraysIn(saved).get("lm_head.decoder.weight"), arraysIn(folder).get("lm_head.decoder.weight"));
    model.dispose();
  });

  test("is not overwritten by parameters of another model, disposed ones, or a refused write", async () => {
    const source = fixtureFolder("bert-sequence");
    const head = "sequenceClassification";
    const [model, other] = [
      await pretrained(source, { head }),
      await pretrained(fixtureFolder("roberta-sequence"), { head }),
    ];
    const folder = temporaryFolder();
    model.save(folder);
    const before = allArrays(folder);
    assert.throws(() => model.save(folder, { parameters: other.parameters }), {
      message: "save: parameters must be of the model's structure, but positions is [26, 12] and not [24, 12]",
    });
    assert.throws(() => model.save(folder, { parameters: {} as never }), { message: /tokens is not there and not/ });
    assert.throws(() => model.save(""), { message: "save: folder must be the name of a folder, got ''" });
    assert.throws(() => model.save(path.join(folder, "config.json", "below")), {
      name: "UserError",
      message: /^Cannot write .*below: a part of this path is a file, not a folder; choose another folder/,
    });
    for (const each of [model, other]) each.dispose();
    assert.throws(() => model.save(folder), { message: /^save: tokens: the input .* has already been disposed/ });
    assert.deepEqual(allArrays(folder), before);
    assert.deepEqual(readdirSync(folder).sort(), ["config.json", "model.safetensors"]);
  });
});
