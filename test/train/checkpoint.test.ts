import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { uniformLengthBatches } from "../../src/batching/index.ts";
import { listOpsVocabulary } from "../../src/data/index.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { tf } from "../../src/runtime/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/tensor/files/safetensors.ts";
import { parameterList, save } from "../../src/tensor/index.ts";
import { adamW, lion } from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { run } from "./runs.ts";

const folder = temporaryFolder();
const whole = await run({});
const stateBits = (parameters: object) => parameterList(parameters).map(({ variable }) => [...variable.dataSync()]);
const comparable = ({ history }: typeof whole) => ({
  steps: history.steps.map(({ step, epoch, loss, accuracy, learningRate, gradientNorm, usefulTokens }) => ({
    ...{ step, epoch, loss, accuracy, learningRate, gradientNorm, usefulTokens },
  })),
  evaluations: history.evaluations,
});

describe("a resumed training", () => {
  test("ends with the same bits as an uninterrupted one, after its process was killed", async () => {
    const path = join(folder, "killed.safetensors");
    const script = fileURLToPath(new URL("./runs.js", import.meta.url));
    const child = spawn(process.execPath, [script, path, "13"], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: child.stdout })) if (line === "13") child.kill("SIGKILL");
    assert.match(readFileSync(path, "latin1"), /\\"step\\":12,/);
    const resumed = await run({ checkpoint: { path } });
    assert.equal(resumed.bits, whole.bits);
    assert.deepEqual(comparable(resumed), comparable(whole));
  });

  test("continues after repeated aborts", async () => {
    const path = join(folder, "aborted.safetensors");
    for (const at of [3, 4, 11]) {
      const stop = new AbortController();
      const onStep = ({ step }: { step: number }) => step === at && stop.abort();
      const { history } = await run({ checkpoint: { path }, onStep, signal: stop.signal });
      assert.deepEqual([history.ended, history.steps.length], ["aborted", at]);
    }
    const resumed = await run({ checkpoint: { path } });
    assert.equal(resumed.bits, whole.bits);
    assert.deepEqual(comparable(resumed), comparable(whole));
    const again = await run({ checkpoint: { path } });
    assert.equal(again.bits, whole.bits, "a finished run is finished");
  });

  test("keeps the state of early stopping", async () => {
    const path = join(folder, "early.safetensors");
    const early = { evaluateEvery: 2, earlyStop: { patience: 2, minimumChange: 1 } };
    const once = await run(early);
    assert.equal(once.history.ended, "no longer improving");
    const at = once.history.steps.length - 1;
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }) => step === at && stop.abort();
    await run({ ...early, checkpoint: { path }, onStep, signal: stop.signal });
    const twice = await run({ ...early, checkpoint: { path } });
    assert.equal(twice.bits, once.bits);
    assert.deepEqual(twice.history.best, once.history.best);
    const thrice = await run({ ...early, checkpoint: { path } });
    assert.deepEqual([thrice.bits, thrice.history.ended], [once.bits, "no longer improving"]);
  });

  test("starts again with resume: false, and leaves no partial file", async () => {
    const path = join(folder, "anew.safetensors");
    await run({ checkpoint: { path }, steps: 2 });
    const { history, bits } = await run({ checkpoint: { path, resume: false } });
    assert.equal(history.steps[0]!.step, 1);
    assert.equal(bits, whole.bits);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.endsWith(".safetensors")),
      [],
    );
  });
});

test("a checkpoint of before optimizers had groups and steps had metrics continues with the same bits", async () => {
  const path = join(folder, "old.safetensors");
  const stop = new AbortController();
  await run({ checkpoint: { path }, onStep: ({ step }) => step === 8 && stop.abort(), signal: stop.signal });
  const { arrays, metadata } = decodeSafetensors(new Uint8Array(readFileSync(path)), path);
  const { groups, metrics, evaluations, ...state } = JSON.parse(metadata.state!) as Record<string, object[]>;
  assert.deepEqual([groups!.length, metrics], [1, []]);
  const older = evaluations!.map((each) => ({ ...each, metrics: undefined }));
  const renamed = [...arrays].map(([name, own]) => [name.replace("optimizer/0/", "optimizer/"), own] as const);
  const text = JSON.stringify({ ...state, evaluations: older });
  writeFileSync(path, encodeSafetensors(new Map(renamed), { ...metadata, state: text }));
  const resumed = await run({ checkpoint: { path } });
  assert.equal(resumed.bits, whole.bits);
  assert.deepEqual(comparable(resumed), comparable(whole));
});

describe("a checkpoint is rejected", () => {
  const path = join(folder, "other.safetensors");
  test("for other seeds, another strategy or other data, with the difference", async () => {
    await run({ checkpoint: { path }, steps: 2 });
    await assert.rejects(run({ checkpoint: { path }, seed: 6 }), /with seed 5, not 6: set resume to false/);
    await assert.rejects(run({ checkpoint: { path }, accumulate: 1 }), /with accumulate 2, not 1/);
    const batches = uniformLengthBatches([{ tokens: [1, 2], label: 0 }], { batchSize: 1 });
    await assert.rejects(run({ checkpoint: { path }, batches }), /of other sequences/);
  });

  test("when the file is not a checkpoint", async () => {
    assert.ok(existsSync(path));
    writeFileSync(path, "not a checkpoint");
    await assert.rejects(run({ checkpoint: { path } }), /the header should be|too short/);
    save(path, { x: tf.zeros([2]) });
    await assert.rejects(
      run({ checkpoint: { path } }),
      /exists but is not a checkpoint: use another path, or delete it/,
    );
  });

  test("of another model or optimizer, before anything is assigned", async () => {
    await run({ checkpoint: { path, resume: false }, steps: 1 });
    const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 30, heads: 4, layers: 2 };
    const wider = transformerClassifier({ ...sizes, features: 64 });
    const same = transformerClassifier({ ...sizes, features: 32 });
    for (const [model, optimizer, message] of [
      [wider, adamW(wider.parameters), /elements in the model, [\d]+ in the saved state/],
      [same, lion(same.parameters), /momentum has no elements in the state/],
    ] as const) {
      const bits = () => JSON.stringify([stateBits(model.parameters), optimizer.stateDict().step]);
      const before = bits();
      await assert.rejects(run({ model, optimizer, checkpoint: { path } }), message);
      assert.equal(bits(), before);
    }
  });

  test("before the first step when its path cannot be written", async () => {
    const onStep = () => assert.fail("a step was taken");
    await assert.rejects(
      run({ checkpoint: { path: folder }, onStep }),
      /Cannot write .*: this is a folder, not a file/,
    );
    const beneath = join(path, "below.safetensors");
    await assert.rejects(run({ checkpoint: { path: beneath }, onStep }), /choose another path for the checkpoint/);
  });

  test("when it is of a version whose seeds give other numbers", async () => {
    await run({ checkpoint: { path, resume: false }, steps: 1 });
    const text = readFileSync(path, "latin1");
    writeFileSync(path, text.replace("halftone training 2", "halftone training 1"), "latin1");
    await assert.rejects(run({ checkpoint: { path } }), /of another version of Halftone.*set resume to false/);
  });
});
