import assert from "node:assert/strict";
import path from "node:path";
import { before, describe, test } from "node:test";
import { packedBatches, uniformLengthBatches } from "../../src/batching/index.ts";
import { addingProblem, listOps } from "../../src/data/index.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { ready, runtimeInfo } from "../../src/runtime/index.ts";
import { adamW, evaluate, type Objective, type TrainOptions, train, warmUp } from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const scratch = temporaryFolder();
before(ready);

const examples = addingProblem({ count: 2200, seed: 1, minLength: 8, maxLength: 16 });
const validation = [...uniformLengthBatches(examples.slice(2000), { batchSize: 100 })];
const sizes = { vocabularySize: 2, classes: 1, maxLength: 16, features: 16, heads: 2, layers: 1, dropout: 0 };

function setUp(options: Partial<TrainOptions> = {}, classes = 1) {
  const model = transformerClassifier({ ...sizes, classes, seed: 1 });
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  const batches = uniformLengthBatches(examples.slice(0, 2000), { batchSize: 32, seed: 1 });
  const run = (more: Partial<TrainOptions> = {}) =>
    train({
      model,
      optimizer,
      batches,
      steps: 20,
      loss: "meanSquaredError",
      progress: false,
      validation,
      ...options,
      ...more,
    });
  return { model, run };
}

describe("a regression", () => {
  test("learns the adding problem to a tenth of the error of a constant answer", async () => {
    const { model, run } = setUp();
    const steps = 150;
    const learningRate = warmUp({ peak: 1e-2, warmUp: 15, total: steps });
    const history = await run({ steps, learningRate, evaluateEvery: 75 });
    // 1/6: Le, Jaitly & Hinton 2015, section 4.1.
    assert.ok(history.evaluations.at(-1)!.loss < 1 / 60, `${history.evaluations.at(-1)!.loss}`);
    assert.deepEqual([history.evaluations.at(-1)!.accuracy, history.steps.at(-1)!.accuracy], [Number.NaN, Number.NaN]);
    let sum = 0;
    for (const batch of validation) {
      const outputs = model.apply(model.parameters, batch).dataSync();
      batch.indices.forEach((i, n) => {
        sum += (outputs[n]! - examples[2000 + i]!.label) ** 2;
      });
    }
    assert.ok(Math.abs(sum / 200 - evaluate(model, validation, { loss: "meanSquaredError" }).loss) < 1e-5);
  });

  test("evaluates in the precision that it trains in", async () => {
    const { model, run } = setUp({ steps: 2, autocast: "bfloat16" });
    const { evaluations } = await run();
    const [single, half] = [undefined, "bfloat16" as const].map(
      (autocast) => evaluate(model, validation, { loss: "meanSquaredError", autocast }).loss,
    );
    assert.equal(evaluations.at(-1)!.loss, half);
    if (runtimeInfo().backend === "tensorflow") assert.notEqual(half, single);
  });

  test("a run resumed from a checkpoint equals an uninterrupted one", async () => {
    const checkpoint = { path: path.join(scratch, "regression.safetensors") };
    await setUp({ steps: 10, checkpoint, evaluateEvery: 5 }).run();
    const resumed = await setUp({ steps: 20, checkpoint, evaluateEvery: 5 }).run();
    const whole = await setUp({ steps: 20, evaluateEvery: 5 }).run();
    const figures = (history: typeof whole) => [
      history.steps.map(({ loss, accuracy }) => [loss, accuracy]),
      history.evaluations.filter(({ step }) => step % 5 === 0),
    ];
    assert.deepEqual(figures(resumed), figures(whole));
  });

  test("rejects classes, an unknown loss, early stopping by accuracy, and features of another width", async () => {
    await assert.rejects(setUp({}, 10).run(), /a regression needs a model with 1 output, got 10: set classes to 1/);
    await assert.rejects(
      setUp().run({ loss: "hinge" as Objective }),
      /loss must be "crossEntropy", .* or a function, got "hinge"/,
    );
    const earlyStop = { patience: 1, by: "accuracy" as const };
    await assert.rejects(setUp().run({ earlyStop, evaluateEvery: 5 }), /use by: "loss" for a regression/);
    const wide = [{ features: new Float32Array(12), length: 4, label: 1 }];
    await assert.rejects(
      setUp().run({ batches: uniformLengthBatches(wide, { batchSize: 1 }) }),
      /the sequences have 3 features per step, but the model's vocabularySize is 2/,
    );
  });
});

describe("a sequence of real numbers", () => {
  test("has the same output alone, padded or packed with others", () => {
    const model = transformerClassifier({ ...sizes, maxLength: 40, seed: 3 });
    const some = examples.slice(0, 12);
    const alone = some.map((example) => {
      const [batch] = uniformLengthBatches([example], { batchSize: 1 });
      return model.apply(model.parameters, batch!).dataSync()[0]!;
    });
    for (const batches of [
      uniformLengthBatches(some, { batchSize: 6 }),
      uniformLengthBatches(some, { batchSize: 6, side: "left" }),
      packedBatches(some, { batchSize: 2, maxLength: 40 }),
    ])
      for (const batch of batches) {
        const outputs = model.apply(model.parameters, batch).dataSync();
        batch.indices.forEach((i, n) => {
          assert.ok(Math.abs(outputs[n]! - alone[i]!) < 1e-5, `${i}: ${outputs[n]} beside ${alone[i]}`);
        });
      }
    model.dispose();
  });

  test("cannot share a batch with tokens", () => {
    const [tokens] = listOps({ count: 1, seed: 1, maxLength: 10 });
    assert.throws(
      () => uniformLengthBatches([examples[0]!, tokens!], { batchSize: 2 }),
      /sequence 1 has no features per step, but sequence 0 has 2/,
    );
  });
});
