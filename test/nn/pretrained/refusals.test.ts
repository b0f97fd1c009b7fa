import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { type PretrainedOptions, pretrained } from "../../../src/nn/index.ts";
import { ready, tf } from "../../../src/runtime/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { copyOf, withConfig, withTensors } from "./checkpoint-folder.ts";
import { fixtureFolder } from "./fixture.ts";

await ready();

/** Fails unless the model is refused with this message and no tensor is left. */
async function refused(source: string, message: RegExp, options: PretrainedOptions = {}): Promise<void> {
  const { numTensors, numBytes } = tf.memory();
  await assert.rejects(() => pretrained(source, options), { message });
  assert.deepEqual([tf.memory().numTensors, tf.memory().numBytes], [numTensors, numBytes]);
}

describe("a config.json that asks for what is not there is refused by name", () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    [
      "an architecture",
      { model_type: "albert" },
      /config.json: model_type 'albert' is not supported, only bert, .*modernbert/,
    ],
    ["no architecture", { model_type: undefined }, /config.json: model_type undefined is not supported/],
    ["an activation", { hidden_act: "mish" }, /config.json: hidden_act must be "gelu", "gelu_new", .*, got "mish"$/],
    [
      "a kind of positions",
      { position_embedding_type: "relative_key" },
      /config.json: position_embedding_type is "relative_key", which is not supported \(only "absolute"\)$/,
    ],
    [
      "quantized weights",
      { quantization_config: { quant_method: "gptq" } },
      /config.json: its weights are quantized \(gptq\), which is not supported: save it in float32/,
    ],
    ["code of its own", { auto_map: { AutoModel: "x" } }, /config.json: auto_map asks for code of its own/],
    ["pruned heads", { pruned_heads: { 0: [1] } }, /config.json: it has pruned heads/],
    ["a decoder", { is_decoder: true }, /config.json: is_decoder is true, which is not supported \(only false\)$/],
    [
      "a missing size",
      { vocab_size: undefined },
      /config.json: vocab_size is missing, which must be a positive integer$/,
    ],
    [
      "a size",
      { num_hidden_layers: 1.5 },
      /config.json: num_hidden_layers must be a positive integer up to 10000, got 1.5$/,
    ],
    [
      "a rate",
      { hidden_dropout_prob: "0.1" },
      /config.json: hidden_dropout_prob must be a number of at least 0, got "0.1"$/,
    ],
  ];
  for (const [what, values, message] of cases) test(what, () => refused(withConfig("bert-model", values), message));

  test("more layers than memory holds, before they are planned", () =>
    refused(
      withConfig("bert-model", { num_hidden_layers: 1e9 }),
      /num_hidden_layers must be a positive integer up to 10000, got 1000000000$/,
    ));

  test("positions that begin after the last one", () =>
    refused(withConfig("roberta", { pad_token_id: 40 }), /config.json has 26 positions .*, but its first one is 41,/));

  test("rotary positions that are not numbers above 0", async () => {
    const refuse = (rope_parameters: unknown, message: RegExp) =>
      refused(withConfig("llama", { rope_parameters }), message);
    await refuse({ rope_type: "default", rope_theta: 0 }, /rope_theta must be a number above 0, got 0$/);
    await refuse({ rope_type: "linear", rope_theta: 1e4, factor: 0 }, /factor must be a number above 0, got 0$/);
    await refuse("default", /rope_parameters must be an object, got "default"$/);
  });

  test("classes that are no names, and tokens that end a text that are none, with nothing left in memory", async () => {
    await refused(withConfig("bert-sequence", { id2label: "abc" }), /id2label must be an object of .*, got "abc"$/, {
      head: "sequenceClassification",
    });
    const folder = copyOf("gpt2");
    writeFileSync(path.join(folder, "generation_config.json"), "[1]");
    await refused(folder, /generation_config.json is not a JSON object$/, { head: "causalLanguageModel" });
  });

  test("kinds of layers and rotary positions of ModernBERT", async () => {
    await refused(withConfig("modernbert", { layer_types: ["full_attention"] }), /layer_types must name 3 layers/);
    const rope = { full_attention: { rope_type: "yarn", rope_theta: 10 } };
    await refused(withConfig("modernbert", { rope_parameters: rope }), /rope_type is "yarn", which is not supported/);
  });

  test("a head that the architecture does not have", () =>
    refused(fixtureFolder("bert-model"), /^pretrained: Bert has no head "causalLanguageModel", only hiddenStates, /, {
      head: "causalLanguageModel",
    }));

  test("a classification without classes", () =>
    refused(fixtureFolder("bert-model"), /config.json: it names no classes: give the option classes/, {
      head: "sequenceClassification",
    }));

  test("a module of sentence-transformers", async () => {
    const folder = copyOf("bert-model");
    const modules = [{ type: "sentence_transformers.models.Dense", path: "2_Dense" }];
    writeFileSync(path.join(folder, "modules.json"), JSON.stringify(modules));
    await refused(folder, /modules.json has the module sentence_transformers.models.Dense, which is not supported/, {
      head: "sentenceEmbedding",
    });
  });
});

describe("options that cannot be meant are refused before anything is read", () => {
  const nowhere = "no/such-model";
  const cases: [string, unknown, RegExp][] = [
    ["a storage type", { dtype: "float8" }, /^pretrained: dtype must be one of float32, .*, checkpoint, got 'float8'$/],
    ["a pooling", { head: "sentenceEmbedding", pooling: "max" }, /pooling must be one of mean, cls, last, got 'max'$/],
    ["a class twice", { head: "sequenceClassification", classes: ["a", "a"] }, /classes names 'a' twice$/],
    ["no number of classes", { head: "tokenClassification", classes: null }, /classes must be .*, got null$/],
    [
      "classes without a classification",
      { classes: 2 },
      /the head "hiddenStates" has no use for classes: add head: "seq/,
    ],
    ["a new head without one", { newHead: true }, /the head "hiddenStates" has no use for newHead: /],
    ["a pooling without sentences", { pooling: "cls" }, /no use for pooling: add head: "sentenceEmbedding", or leave/],
  ];
  for (const [what, options, message] of cases)
    test(what, () => refused(nowhere, message, options as PretrainedOptions));

  test("no source, and a file", async () => {
    await refused(undefined as never, /^pretrained: source must be a folder, npm:NAME, .*, got undefined$/);
    const file = path.join(fixtureFolder("bert-model"), "config.json");
    await refused(file, /config.json is a file: give its folder$/);
    await refused(path.relative(".", file), /config.json is a file: give its folder$/);
  });

  test("a name that is neither a folder nor on the hub", () =>
    refused(
      "no/such-model",
      /^pretrained: there is no folder no\/such-model, and no\/such-model at main is not in the cache/,
      {
        hub: { offline: true, cacheFolder: temporaryFolder() },
      },
    ));
});

describe("tensors that do not fit are all named before any is made", () => {
  test("missing, unexpected and misshaped ones", async () => {
    const folder = withTensors("bert-model", (arrays) => {
      arrays.delete("embeddings.LayerNorm.bias");
      arrays.delete("encoder.layer.0.attention.self.key.weight");
      const query = arrays.get("encoder.layer.0.attention.self.query.weight")!;
      arrays.set("encoder.layer.1.attention.self.query.weight", query);
      arrays.set("encoder.layer.0.output.dense.bias", { shape: [2], dtype: "float32", values: new Float32Array(2) });
    });
    await refused(
      folder,
      /^pretrained: the tensors of .* do not fit its config.json: 2 missing: embeddings.LayerNorm.bias, encoder.layer.0.attention.self.key.weight; 1 unexpected: encoder.layer.1.attention.self.query.weight; 1 of another shape: encoder.layer.0.output.dense.bias is \[2\], not \[12\]$/,
    );
  });

  test("the head of another number of classes, which newHead replaces", async () => {
    const folder = fixtureFolder("bert-sequence");
    const own = { head: "sequenceClassification", classes: ["a", "b"] } as const;
    await refused(
      folder,
      /2 of another shape: classifier.weight is \[3, 12\], not \[2, 12\], classifier.bias is .*; newHead: true makes a new head$/,
      own,
    );
    const model = await pretrained(folder, { ...own, newHead: true });
    assert.deepEqual(model.initialised, ["head.classifier.weight", "head.classifier.bias"]);
    assert.deepEqual(model.labels, ["a", "b"]);
    model.dispose();
  });

  test("a tensor that cannot be read leaves nothing behind", async () => {
    const folder = withTensors("bert-model", (arrays) => {
      const last = arrays.get("encoder.layer.0.output.LayerNorm.bias")!;
      arrays.set("encoder.layer.0.output.LayerNorm.bias", { ...last, dtype: "int32", values: new Int32Array(12) });
    });
    await refused(
      folder,
      /encoder.layer.0.output.LayerNorm.bias is int32: weights must be float16, bfloat16, float32 or float64$/,
    );
  });
});

describe("files that are not a checkpoint are refused by name", () => {
  test("a folder that does not exist, has no model, or several", async () => {
    await refused("./no/such/folder", /^pretrained: \.\/no\/such\/folder is not a folder$/);
    const folder = temporaryFolder();
    await refused(folder, /has no config.json: give a folder that save_pretrained wrote$/);
    for (const name of ["a", "b"]) {
      mkdirSync(path.join(folder, name));
      renameSync(copyOf("bert-model"), path.join(folder, name));
    }
    await refused(folder, /has several models: give the folder of one of them, /);
  });

  test("weights as PyTorch's pickle only", async () => {
    const folder = copyOf("bert-model");
    renameSync(path.join(folder, "model.safetensors"), path.join(folder, "pytorch_model.bin"));
    rmSync(path.join(folder, "reference.safetensors"));
    await refused(folder, /only pytorch_model.bin, which is not read: save it with transformers as safetensors$/);
  });

  test("a pointer of Git LFS, or a web page, in place of a file", async () => {
    const folder = copyOf("bert-model");
    const put = (file: string, text: string) => writeFileSync(path.join(folder, file), text);
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    put("model.safetensors", pointer);
    await refused(folder, /model.safetensors is not a safetensors file: it is a pointer of Git LFS, .*`git lfs pull`/);
    put("model.safetensors", "<!DOCTYPE html><html><body>Not found</body></html>");
    await refused(folder, /model.safetensors is not a safetensors file: it is a web page, and not the file; download/);
    put("config.json", pointer);
    await refused(folder, /config.json is not valid JSON: it is a pointer of Git LFS/);
  });

  test("an index that names a file or a tensor that is not there", async () => {
    const folder = copyOf("llama");
    rmSync(path.join(folder, "model-00001-of-00003.safetensors"));
    await refused(folder, /lacks model-00001-of-00003.safetensors, which its index names$/);
    const other = withConfig(
      "llama",
      { weight_map: { "model.norm.scale": "model-00002-of-00003.safetensors" } },
      "model.safetensors.index.json",
    );
    await refused(other, /model-00002-of-00003.safetensors lacks model.norm.scale, which the index of .* has there$/);
  });
});
