import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fixedLengthBatches, packedBatches } from "../../../src/batching/index.ts";
import { lora, type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { ready, runtimeInfo } from "../../../src/runtime/index.ts";
import { parameterList } from "../../../src/tensor/index.ts";
import { adamW, train } from "../../../src/train/index.ts";
import { stepFunctions } from "../../../src/train/step-functions.ts";
import { fixtureFolder } from "./fixture.ts";

await ready();
const skip = !runtimeInfo().capture && "nothing is captured here";

/** Sequences of 4 to 20 tokens. */
const examples = Array.from({ length: 32 }, (_, i) => ({
  tokens: Array.from({ length: 4 + ((i * 7) % 17) }, (_, t) => 3 + ((i * 13 + t * 5) % 45)),
  label: i % 3,
}));
const settings = { maxLength: 20, seed: 2 };
const fixed = fixedLengthBatches(examples, { batchSize: 8, ...settings });

interface Run {
  name: string;
  head: PretrainedHead;
  isAdapted?: boolean;
  options?: object;
}

/** What a training did, and how many of its steps ran without their JavaScript. */
async function run({ name, head, isAdapted, options }: Run, capture: boolean) {
  const base = await pretrained(fixtureFolder(name), { head });
  const model = isAdapted ? lora(base, { rank: 2, dropout: 0.1, from: 1 }) : base;
  const optimizer = adamW(model.parameters as object, { learningRate: 0.01 });
  const loss = head === "causalLanguageModel" ? "nextToken" : "crossEntropy";
  const given = { model, optimizer, loss, batches: fixed, steps: 12, seed: 5, capture, progress: false, ...options };
  const { steps } = await train(given as never);
  const { replays, replayFault } = stepFunctions(model, optimizer).gradients.state;
  const values = parameterList(model.parameters as object).map(({ variable }) => [...variable.dataSync()]);
  if (model !== base) model.dispose();
  base.dispose();
  return { done: { losses: steps.map(({ loss: own }) => own), values }, replays, replayFault };
}

describe("a step of a pretrained model without its JavaScript", { skip }, () => {
  const head = "sequenceClassification";
  const packed = { batches: packedBatches(examples, { batchSize: 4, ...settings }), steps: 24 };
  const runs: Record<string, Run & { least: number }> = {
    "an encoder": { name: "bert-sequence", head, least: 8 },
    "positions that begin after padding, and packed rows": {
      name: "roberta-sequence",
      head,
      options: packed,
      least: 4,
    },
    "layers that see near tokens, and means": { name: "modernbert-sequence-mean", head, least: 8 },
    "a decoder": { name: "llama", head: "causalLanguageModel", least: 8 },
    "a decoder's last tokens, in packed rows": { name: "gpt2-sequence", head, options: packed, least: 4 },
    "an adapter with dropout": { name: "bert-sequence", head, isAdapted: true, least: 8 },
    "an adapter and layers that are computed again": {
      ...{ name: "mistral-sliding", head: "causalLanguageModel", isAdapted: true, least: 8 },
      options: { gradientCheckpointing: true },
    },
  };
  for (const [what, { least, ...each }] of Object.entries(runs))
    test(`is that of ${what}, bit for bit`, async () => {
      const [plain, captured] = [await run(each, false), await run(each, true)];
      assert.deepEqual(captured.done, plain.done);
      assert.equal(captured.replayFault, undefined);
      assert.equal(plain.replays, 0);
      assert.ok(captured.replays >= least, `${captured.replays}`);
    });

  test("refuses a sequence that is too long, and an adapter that was merged since", async () => {
    const base = await pretrained(fixtureFolder("bert-sequence"), { head });
    const model = lora(base, { rank: 2 });
    const optimizer = adamW(model.parameters, { learningRate: 0.01 });
    const trained = (lengths: number[]) => {
      const sequences = lengths.map((length) => ({ tokens: new Array<number>(length).fill(4), label: 1 }));
      const batches = packedBatches(sequences, { batchSize: 1, maxLength: 36 });
      return train({ model, batches, optimizer, epochs: 1, progress: false });
    };
    const halves = new Array<number>(16).fill(18);
    await trained(halves);
    const replays = () => stepFunctions(model, optimizer).gradients.state.replays;
    const before = replays();
    assert.ok(before > 0);
    await assert.rejects(trained([26, 10]), {
      message: /^the batch is 26 tokens long, but the model's maxLength is 24/,
    });
    model.merge();
    await assert.rejects(trained(halves), { message: "lora: the adapter is merged: unmerge it before training" });
    model.unmerge();
    await trained(halves);
    assert.ok(replays() > before);
    for (const each of [model, base]) each.dispose();
  });
});
