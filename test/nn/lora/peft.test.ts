import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import { loadLora, lora, type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { tf } from "../../../src/runtime/index.ts";
import { crossEntropy, parameterList } from "../../../src/tensor/index.ts";
import { valueAndGradients } from "../../../src/train/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import {
  assertNear,
  assertTokensClose,
  batchOf,
  fixture,
  fixtureFolder,
  referenceArrays,
} from "../pretrained/fixture.ts";

// The adapters of bench/reference/lora.py on the checkpoints of bench/reference/pretrained.py.
const heads: Record<string, PretrainedHead> = {
  "bert-sequence": "sequenceClassification",
  gpt2: "causalLanguageModel",
  llama: "causalLanguageModel",
};

const folderOf = (name: string) => fileURLToPath(new URL(`../../../../test/nn/lora/fixtures/${name}`, import.meta.url));

const scratch = temporaryFolder();

async function loaded(name: string, folder = folderOf(name)) {
  const base = fixture(name);
  const model = await pretrained(base.folder, { head: heads[name]! });
  return { base, model, adapted: loadLora(model, folder), batch: batchOf(base) };
}

describe("adapters of PEFT", () => {
  for (const name of Object.keys(heads)) {
    const expected = referenceArrays(path.join(folderOf(name), "reference.safetensors"));
    const { loss } = JSON.parse(readFileSync(path.join(folderOf(name), "reference.json"), "utf8")) as { loss: number };

    test(`give the logits, loss and gradients of ${name}`, async () => {
      const { base, model, adapted, batch } = await loaded(name);
      const trainable = parameterList(adapted.parameters).filter(({ variable }) => variable.trainable);
      const lossOf = () => {
        const logits = adapted.apply(adapted.parameters, batch) as Tensor;
        const reference = expected.get("logits")!;
        if (logits.rank === 2) {
          assertNear([...logits.dataSync()], reference.values, 1e-6, "logits");
          return crossEntropy(logits, tf.tensor1d(base.labels as number[], "int32")) as Scalar;
        }
        assertTokensClose(logits, reference, base, 1e-6, "logits");
        const next = (base.labels as number[][]).map((row) => row.slice(1));
        const before = tf.slice(logits, [0, 0, 0], [-1, next[0]!.length, -1]);
        return crossEntropy(before, tf.tensor2d(next, undefined, "int32")) as Scalar;
      };
      const { value, gradients } = valueAndGradients(
        lossOf,
        trainable.map(({ variable }) => variable),
      );
      assertNear([value.dataSync()[0]!], [loss], 1e-6, "loss");
      const left = new Set([...expected.keys()].filter((key) => key.startsWith("gradients.")));
      for (const [i, { name: at }] of trainable.entries()) {
        const own = at
          .replace(/^adapters\.(.*)\.a$/, "$1.lora_A.weight")
          .replace(/^adapters\.(.*)\.b$/, "$1.lora_B.weight")
          .replace(/^base\.head\./, "");
        const key = `gradients.base_model.model.${own}`;
        assert.ok(left.delete(key), key);
        const gradient = gradients[i]!;
        const values = [...(gradient.rank === 2 ? tf.transpose(gradient) : gradient).dataSync()];
        const scale = Math.max(...expected.get(key)!.values.map(Math.abs));
        const scaled = (all: number[]) => all.map((each) => each / scale);
        assertNear(scaled(values), scaled(expected.get(key)!.values), 1e-5, key);
      }
      assert.deepEqual([...left], []);
      model.dispose();
    });

    test(`are merged into ${name} and separated again`, async () => {
      const { base, model, adapted, batch } = await loaded(name);
      const before = parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]);
      adapted.merge();
      assert.equal(adapted.isMerged, true);
      const merged = expected.get("merged")!;
      for (const logits of [
        adapted.apply(adapted.parameters, batch) as Tensor,
        model.apply(model.parameters, batch) as Tensor,
      ])
        if (logits.rank === 2) assertNear([...logits.dataSync()], merged.values, 4e-6, "merged");
        else assertTokensClose(logits, merged, base, 2e-6, "merged");
      assert.throws(() => adapted.apply(adapted.parameters, batch, { training: true }), { message: /merged/ });
      assert.throws(() => adapted.save(scratch), { message: /merged/ });
      adapted.unmerge();
      for (const [i, { name: at, variable }] of parameterList(model.parameters).entries())
        assertNear([...variable.dataSync()], before[i]!, 2e-7, at);
      model.dispose();
    });

    test(`are saved for ${name} as PEFT saved them`, async () => {
      const { model, adapted } = await loaded(name);
      const folder = path.join(scratch, name);
      adapted.save(folder);
      const saved = referenceArrays(path.join(folder, "adapter_model.safetensors"));
      assert.deepEqual(
        new Map([...saved].sort()),
        new Map([...referenceArrays(path.join(folderOf(name), "adapter_model.safetensors"))].sort()),
      );
      type Config = Record<string, unknown>;
      const configOf = (at: string) => JSON.parse(readFileSync(path.join(at, "adapter_config.json"), "utf8")) as Config;
      const [own, theirs] = [configOf(folder), configOf(folderOf(name))];
      for (const key of ["peft_type", "task_type", "r", "lora_alpha", "use_rslora", "fan_in_fan_out", "bias"])
        assert.deepEqual(own[key], theirs[key], key);
      const again = loadLora(model, folder);
      assert.deepEqual(
        Object.values(again.parameters.adapters).map(({ a }) => [...(a as unknown as Tensor).dataSync()]),
        Object.values(adapted.parameters.adapters).map(({ a }) => [...(a as unknown as Tensor).dataSync()]),
      );
      model.dispose();
    });
  }

  test("change by default what PEFT changes, and train the classifier", async () => {
    const bert = await pretrained(fixtureFolder("bert-sequence"), { head: "sequenceClassification" });
    const adapted = lora(bert, { rank: 2 });
    assert.deepEqual(Object.keys(adapted.parameters.adapters), [
      "bert.encoder.layer.0.attention.self.query",
      "bert.encoder.layer.0.attention.self.value",
    ]);
    const trainable = parameterList(bert.parameters).filter(({ variable }) => variable.trainable);
    assert.deepEqual(
      trainable.map(({ name }) => name),
      ["head.classifier.weight", "head.classifier.bias"],
    );
    const names = async (name: string, head: PretrainedHead) =>
      new Set(
        Object.keys(lora(await pretrained(fixtureFolder(name), { head })).parameters.adapters).map((module) =>
          module.split(".").at(-1),
        ),
      );
    assert.deepEqual(await names("gpt2", "causalLanguageModel"), new Set(["c_attn"]));
    assert.deepEqual(await names("llama", "causalLanguageModel"), new Set(["q_proj", "v_proj"]));
    assert.deepEqual(await names("distilbert-sequence", "sequenceClassification"), new Set(["q_lin", "v_lin"]));
    assert.deepEqual(await names("modernbert", "maskedLanguageModel"), new Set(["Wqkv"]));
  });

  test("name the modules that PEFT wraps, and no task whose layers they lack", async () => {
    const savedOf = async (name: string, head: PretrainedHead, trainable: string[]) => {
      const model = await pretrained(fixtureFolder(name), { head });
      const adapted = lora(model, { rank: 2, trainable });
      const folder = temporaryFolder();
      adapted.save(folder);
      for (const each of [adapted, model]) each.dispose();
      const config = readFileSync(path.join(folder, "adapter_config.json"), "utf8");
      const { task_type, modules_to_save } = JSON.parse(config) as Record<string, unknown>;
      return [task_type, modules_to_save];
    };
    // PEFT's PeftModel.from_pretrained loads each of them on the fixture's checkpoint.
    assert.deepEqual(await savedOf("bert-sequence", "sequenceClassification", []), [null, null]);
    assert.deepEqual(await savedOf("roberta-sequence", "sequenceClassification", ["head"]), [
      "SEQ_CLS",
      ["classifier"],
    ]);
    assert.deepEqual(await savedOf("bert-sequence", "sequenceClassification", ["head"]), [
      "SEQ_CLS",
      ["bert.pooler.dense", "classifier"],
    ]);
    assert.deepEqual(await savedOf("llama", "causalLanguageModel", ["tokens"]), ["CAUSAL_LM", ["model.embed_tokens"]]);
  });

  test("are refused where they ask for what is not there, and change nothing", async () => {
    const changed = (name: string, config: object) => {
      const folder = temporaryFolder();
      cpSync(folderOf(name), folder, { recursive: true });
      const file = path.join(folder, "adapter_config.json");
      writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), ...config }));
      return folder;
    };
    const model = await pretrained(fixtureFolder("bert-sequence"), { head: "sequenceClassification" });
    assert.throws(() => loadLora(model, changed("bert-sequence", { use_dora: true })), { message: /DoRA/ });
    assert.throws(() => loadLora(model, changed("bert-sequence", { bias: "all" })), { message: /bias: biases/ });
    assert.throws(() => loadLora(model, changed("bert-sequence", { peft_type: "IA3" })), { message: /no LoRA/ });
    assert.throws(() => loadLora(model, changed("bert-sequence", { alpha_pattern: { query: 2 } })), {
      message: /alpha_pattern is not supported/,
    });
    const tensors = tf.memory().numTensors;
    const classifier = [...(model.parameters.head as { classifier: { weight: Tensor } }).classifier.weight.dataSync()];
    for (const [config, message] of [
      [{ lora_alpha: 0 }, /adapter_config.json: lora_alpha: it must be above 0$/],
      [{ lora_dropout: 1 }, /adapter_config.json: lora_dropout: it must be below 1$/],
      [{ r: 1.5 }, /adapter_config.json: r: it must be an integer$/],
    ] as const)
      assert.throws(() => loadLora(model, changed("bert-sequence", config)), { message });
    const invalid = changed("bert-sequence", {});
    writeFileSync(path.join(invalid, "adapter_config.json"), "{");
    assert.throws(() => loadLora(model, invalid), { message: /adapter_config.json is not valid JSON$/ });
    assert.deepEqual(
      [...(model.parameters.head as { classifier: { weight: Tensor } }).classifier.weight.dataSync()],
      classifier,
    );
    assert.equal(tf.memory().numTensors, tensors);
    assert.throws(() => loadLora(model, "no/such/folder"), {
      message: /^loadLora: no\/such\/folder has no adapter_config\.json: give a folder/,
    });
    assert.throws(() => loadLora(model, folderOf("gpt2")), {
      message: /does not fit the model: it has no linear map transformer\.h\.0\.attn\.c_attn, .*; the nearest are /,
    });
    assert.ok(parameterList(model.parameters).every(({ variable }) => variable.trainable));
    model.dispose();
  });
});
