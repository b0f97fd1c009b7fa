import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { pack } from "../../../src/batching/index.ts";
import { probe } from "../../../src/memory/index.ts";
import { generate, pretrained } from "../../../src/nn/index.ts";
import { storageOf } from "../../../src/storage/index.ts";
import { encodeSafetensors } from "../../../src/tensor/files/safetensors.ts";
import { adamW, evaluate, train } from "../../../src/train/index.ts";
import { arraysIn, copyOf, withConfig } from "./checkpoint-folder.ts";
import { assertNear, assertTokensClose, batchOf, fixture, fixtureFolder } from "./fixture.ts";

const causal = { head: "causalLanguageModel" } as const;
const logitsOf = async (folder: string, name: string) => {
  const model = await pretrained(folder, causal);
  return model.apply(model.parameters, batchOf(fixture(name)));
};

describe("a pretrained decoder", () => {
  test("has transformers' loss with nextToken, which training lowers", async () => {
    const expected = fixture("llama");
    const model = await pretrained(expected.folder, causal);
    const optimizer = adamW(model.parameters, { learningRate: 0.01 });
    const batches = Array.from({ length: 20 }, () => batchOf(expected));
    const { steps } = await train({ model, batches, optimizer, steps: 20, loss: "nextToken" });
    assertNear([steps[0]!.loss], [expected.loss], 1e-6, "loss");
    assert.ok(steps.at(-1)!.loss < 0.5 * steps[0]!.loss, `${steps.at(-1)!.loss} after 20 steps`);
    model.dispose();
  });

  for (const half of ["bfloat16", "float16"] as const)
    test(`has nearly the same loss under autocast in ${half}`, async () => {
      for (const name of ["gpt2", "qwen3"]) {
        const expected = fixture(name);
        const model = await pretrained(expected.folder, causal);
        const { loss } = evaluate(model, [batchOf(expected)], { loss: "nextToken", autocast: half });
        const difference = Math.abs(loss - expected.loss) / expected.loss;
        assert.ok(difference > 0 && difference < (half === "bfloat16" ? 0.02 : 0.003), `${name}: ${difference}`);
        model.dispose();
      }
    });

  test("gives packed sequences the logits that they have alone", async () => {
    for (const name of ["gpt2", "mistral-sliding"]) {
      const expected = fixture(name);
      const model = await pretrained(expected.folder, causal);
      const batch = batchOf(expected);
      const sequences = expected.ids.map((row, i) => row.filter((_, t) => expected.mask[i]![t]));
      const packed = pack(sequences, { maxLength: 17, algorithm: "first-fit" });
      assert.equal(packed.rows, 1);
      const [own, reference] = [model.apply(model.parameters, packed), expected.tensors.get("logits")!];
      const values = own.dataSync();
      const width = own.shape[2];
      for (const [place, index] of packed.indices.entries()) {
        const start = packed.segments.indexOf(place + 1);
        const length = packed.lengths[place]!;
        const theirs = reference.values.slice(index * batch.time * width, (index * batch.time + length) * width);
        assertNear([...values.slice(start * width, (start + length) * width)], theirs, 1e-6, `${name} ${index}`);
      }
      model.dispose();
    }
  });

  test("generates transformers' tokens with the parameters in the checkpoint's bfloat16", async () => {
    const { folder, prompts, greedy } = fixture("qwen3");
    const model = await pretrained(folder, { ...causal, dtype: "checkpoint" });
    assert.equal(storageOf(model.parameters.tokens), "bfloat16");
    const stop = model.stopTokens[0]!;
    const expected = greedy!.map((tokens) => tokens.filter((token) => token !== stop));
    assert.deepEqual(await generate(model, prompts!, { maxNewTokens: 8 }), expected);
    model.dispose();
  });

  test("embeds a sequence by its last token, as a folder of sentence-transformers says", async () => {
    const expected = fixture("llama-model");
    const folder = copyOf("llama-model");
    const modules = ["Transformer", "Pooling"].map((kind) => ({
      ...{ type: `sentence_transformers.models.${kind}`, path: kind === "Pooling" ? "1_Pooling" : "" },
    }));
    writeFileSync(path.join(folder, "modules.json"), JSON.stringify(modules));
    mkdirSync(path.join(folder, "1_Pooling"));
    const pooling = { pooling_mode_mean_tokens: false, pooling_mode_lasttoken: true };
    writeFileSync(path.join(folder, "1_Pooling/config.json"), JSON.stringify(pooling));
    const model = await pretrained(folder, { head: "sentenceEmbedding" });
    const { values, shape } = expected.tensors.get("hiddenStates.1")!;
    const [, time, width] = shape as [number, number, number];
    const ends = expected.mask.map((row, i) => (i * time + row.lastIndexOf(1)) * width);
    const embeddings = model.apply(model.parameters, batchOf(expected)).dataSync();
    assertNear(
      [...embeddings],
      ends.flatMap((at) => values.slice(at, at + width)),
      1e-6,
      "embeddings",
    );
    model.dispose();
  });

  test("shows its layers in a probe", async () => {
    const model = await pretrained(fixtureFolder("llama"), causal);
    const { byLayer } = probe(() => model.apply(model.parameters, batchOf(fixture("llama"))));
    const names = Object.keys(byLayer);
    for (const name of ["embedding", "layers.0", "layers.1", "head"])
      assert.ok(
        names.some((each) => each.startsWith(name)),
        `${name} in ${names.join(", ")}`,
      );
    model.dispose();
  });

  test("reads the rotary positions of configs before transformers 5", async () => {
    const { rope_parameters: rope } = JSON.parse(
      readFileSync(path.join(fixtureFolder("llama"), "config.json"), "utf8"),
    ) as { rope_parameters: Record<string, unknown> };
    const { rope_theta, rope_type, ...scaling } = rope;
    const scaled = { ...scaling, rope_type };
    const llama = withConfig("llama", { rope_parameters: undefined, rope_theta, rope_scaling: scaled });
    const linear = withConfig("llama-linear", {
      ...{ rope_parameters: undefined, rope_theta: 500, rope_scaling: { type: "linear", factor: 2 } },
    });
    // Up to the longest sequence of the config the dynamic type changes nothing.
    const dynamic = withConfig("mistral", { rope_parameters: { rope_type: "dynamic", rope_theta: 10_000, factor: 2 } });
    for (const [name, folder] of [
      ["llama", llama],
      ["llama-linear", linear],
      ["mistral", dynamic],
    ] as const)
      assertTokensClose(
        await logitsOf(folder, name),
        fixture(name).tensors.get("logits"),
        fixture(name),
        1e-6,
        "logits",
      );
  });

  test("reads GPT-2 as it lies on the hub, without a prefix and with the masks of its layers", async () => {
    const folder = withConfig("gpt2", { tie_word_embeddings: undefined, n_ctx: 48 });
    const bare = new Map([...arraysIn(folder)].map(([name, array]) => [name.replace(/^transformer\./, ""), array]));
    const mask = { shape: [1, 1, 48, 48], dtype: "float32", values: new Float32Array(48 * 48).fill(1) } as const;
    for (const layer of [0, 1]) bare.set(`h.${layer}.attn.bias`, { ...mask, shape: [...mask.shape] });
    writeFileSync(path.join(folder, "model.safetensors"), encodeSafetensors(bare));
    assertTokensClose(
      await logitsOf(folder, "gpt2"),
      fixture("gpt2").tensors.get("logits"),
      fixture("gpt2"),
      1e-6,
      "logits",
    );
  });

  test("refuses what is not supported by naming it", async () => {
    const cases: [string, Record<string, unknown>, RegExp][] = [
      [
        "llama",
        { rope_scaling: { type: "yarn", factor: 4 }, rope_parameters: null },
        /rope_type must be .*"llama3", got "yarn"/,
      ],
      ["llama", { hidden_act: "gelu" }, /hidden_act must be "silu", got "gelu"/],
      ["llama", { head_dim: 5 }, /even number of features per head, got 5/],
      ["gpt2", { add_cross_attention: true }, /add_cross_attention is true, which is not supported/],
      ["mistral", { sliding_window: 0 }, /sliding_window must be a positive integer, got 0/],
    ];
    for (const [name, values, message] of cases)
      await assert.rejects(pretrained(withConfig(name, values), causal), message);
  });

  test("stops at each of several end tokens of generation_config.json, or else at that of config.json", async () => {
    const several = await pretrained(withConfig("gpt2", { eos_token_id: [5, 7] }, "generation_config.json"), causal);
    assert.deepEqual(several.stopTokens, [5, 7]);
    const own = await pretrained(withConfig("gpt2", { eos_token_id: undefined }, "generation_config.json"), causal);
    assert.deepEqual(own.stopTokens, [2]);
    await assert.rejects(
      pretrained(withConfig("gpt2", { eos_token_id: "end" }, "generation_config.json"), causal),
      /generation_config.json: eos_token_id must be a token or a list of tokens, got "end"/,
    );
  });

  test("refuses a batch that is longer than its positions", async () => {
    const model = await pretrained(withConfig("llama", { max_position_embeddings: 8 }), causal);
    assert.throws(
      () => model.apply(model.parameters, batchOf(fixture("llama"))),
      /9 tokens long, but .*maxLength is 8/,
    );
    model.dispose();
  });
});
