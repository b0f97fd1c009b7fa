import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { type Batch, dynamicPad, fixedPad } from "../../../src/batching/index.ts";
import { probe } from "../../../src/memory/index.ts";
import { pretrained } from "../../../src/nn/index.ts";
import { ready, tf } from "../../../src/runtime/index.ts";
import { adamW, evaluate, train } from "../../../src/train/index.ts";
import { copyOf } from "./checkpoint-folder.ts";
import { assertNear, batchOf, fixture, fixtureFolder } from "./fixture.ts";

await ready();
const classification = { head: "sequenceClassification" } as const;

/** A fixture's batch with its labels. */
function labelled(name: string) {
  const expected = fixture(name);
  return { ...batchOf(expected), labels: Float32Array.from(expected.labels as number[]) };
}

describe("a pretrained encoder", () => {
  for (const name of ["bert-sequence", "distilbert-sequence", "roberta-sequence", "modernbert-sequence-cls"]) {
    test(`has transformers' loss, which training lowers, also when layers are computed again (${name})`, async () => {
      const runs: number[][] = [];
      for (const gradientCheckpointing of [false, true]) {
        const model = await pretrained(fixtureFolder(name), classification);
        const batches = Array.from({ length: 15 }, () => labelled(name));
        assertNear([evaluate(model, batches.slice(0, 1)).loss], [fixture(name).loss], 1e-6, "loss");
        const optimizer = adamW(model.parameters, { learningRate: 0.02 });
        const { steps } = await train({ model, batches, optimizer, steps: 15, gradientCheckpointing, progress: false });
        runs.push(steps.map(({ loss }) => loss));
        model.dispose();
      }
      const [losses, again] = runs;
      assert.ok(losses!.at(-1)! < 0.7 * losses![0]!, losses!.join(" "));
      assertNear(again!, losses!, 1e-6, "losses");
    });

    for (const half of ["bfloat16", "float16"] as const)
      test(`has nearly the same loss under autocast in ${half} (${name})`, async () => {
        const model = await pretrained(fixtureFolder(name), classification);
        const { loss } = evaluate(model, [labelled(name)], { autocast: half });
        const difference = Math.abs(loss - fixture(name).loss) / fixture(name).loss;
        assert.ok(difference < (half === "bfloat16" ? 0.03 : 0.004), `${difference}`);
        model.dispose();
      });
  }

  test("drops by the seed of the options, and leaves no tensors behind", async () => {
    const model = await pretrained(fixtureFolder("bert-sequence"), classification);
    const batch = batchOf(fixture("bert-sequence"));
    const logits = (options: object) => {
      const result = model.apply(model.parameters, batch, options);
      const values = [...result.dataSync()];
      result.dispose();
      return values;
    };
    const first = logits({ training: true, seed: 1 });
    const { numTensors } = tf.memory();
    assert.deepEqual(logits({ training: true, seed: 1 }), first);
    assert.notDeepEqual(logits({ training: true, seed: 2 }), first);
    assert.notDeepEqual(logits({}), first);
    for (const state of model.hiddenStates(model.parameters, batch)) state.dispose();
    assert.equal(tf.memory().numTensors, numTensors);
    model.dispose();
  });

  test("shows its layers and its head in a probe", async () => {
    const model = await pretrained(fixtureFolder("modernbert"), { head: "maskedLanguageModel" });
    const { byLayer } = probe(() => model.apply(model.parameters, batchOf(fixture("modernbert"))));
    const names = Object.keys(byLayer).join(", ");
    for (const name of ["embedding", "layers.0/attention", "layers.2/feedForward", "head"])
      assert.ok(names.includes(name), `${name} in ${names}`);
    model.dispose();
  });

  test("refuses sequences that are too long, or of real numbers, and ids outside the vocabulary", async () => {
    const model = await pretrained(fixtureFolder("roberta-sequence"), classification);
    assert.equal(model.sizes.maxLength, 24);
    const apply = (batch: Batch) => model.apply(model.parameters, batch);
    assert.throws(
      () => apply(dynamicPad([new Array(25).fill(5)])),
      /^RangeError: the batch is 25 tokens long, but the model's maxLength is 24$/,
    );
    assert.throws(
      () => apply(dynamicPad([{ features: [1, 2], length: 2 }])),
      /^TypeError: pretrained: the model takes token ids/,
    );
    assert.throws(
      () => apply([[1, 2]] as never),
      /^TypeError: pretrained: the model takes a batch, such as dynamicPad/,
    );
    assert.throws(() => apply(dynamicPad([[48]])), /^RangeError: embedding: id 48 is not in \[0, 48\)/);
    model.dispose();
  });
});

describe("a sentence embedding", () => {
  const batch = fixedPad([[5, 6, 7, 8], [9, 10], [11]], { maxLength: 5 });
  /** The mean or the first of the tokens of each sequence, by hand. */
  async function expected(pooling: "mean" | "cls", normalize: boolean): Promise<number[]> {
    const model = await pretrained(fixtureFolder("bert-model"));
    const hidden = model.apply(model.parameters, batch).hidden.arraySync() as number[][][];
    model.dispose();
    return hidden.flatMap((tokens, row) => {
      const own = tokens.slice(0, pooling === "cls" ? 1 : batch.lengths[row]);
      const sum = own[0]!.map((_, f) => own.reduce((total, token) => total + token[f]!, 0) / own.length);
      const length = normalize ? Math.hypot(...sum) : 1;
      return sum.map((value) => value / length);
    });
  }
  const embed = async (folder: string, options: object = {}) => {
    const model = await pretrained(folder, { head: "sentenceEmbedding", ...options });
    const vectors = [...model.apply(model.parameters, batch).dataSync()];
    model.dispose();
    return vectors;
  };

  test("is the mean of a sequence's tokens, or as the options say", async () => {
    const folder = fixtureFolder("bert-model");
    assertNear(await embed(folder), await expected("mean", false), 1e-6, "means");
    const options = { pooling: "cls", normalize: true };
    assertNear(await embed(folder, options), await expected("cls", true), 1e-6, "first tokens");
  });

  for (const [what, pooling] of [
    ["before", { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }],
    ["since", { pooling_mode: "cls" }],
  ] as const)
    test(`is as the folder's modules say, as written ${what} version 5 of sentence-transformers`, async () => {
      const folder = copyOf("bert-model");
      const types = ["models.Transformer", "models.Pooling", "models.Normalize"];
      const paths = ["", "1_Pooling", "2_Normalize"];
      const modules = types.map((type, i) => ({ idx: i, type: `sentence_transformers.${type}`, path: paths[i] }));
      writeFileSync(path.join(folder, "modules.json"), JSON.stringify(modules));
      mkdirSync(path.join(folder, "1_Pooling"));
      writeFileSync(path.join(folder, "1_Pooling/config.json"), JSON.stringify(pooling));
      assertNear(await embed(folder), await expected("cls", true), 1e-6, "vectors");
      writeFileSync(path.join(folder, "1_Pooling/config.json"), JSON.stringify({ pooling_mode_max_tokens: true }));
      await assert.rejects(() => embed(folder), /pools by max_tokens, which is not supported \(only mean_tokens, /);
    });
});
