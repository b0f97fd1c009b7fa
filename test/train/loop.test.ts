import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bucketByLength, packedBatches, tokenBudgetBatches, uniformLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { ready } from "../../src/runtime/index.ts";
import { parameterList } from "../../src/tensor/index.ts";
import { adamW, evaluate, type TrainOptions, train, usefulTokensPerSecond } from "../../src/train/index.ts";

await ready();

const examples = listOps({ count: 48, seed: 1, maxLength: 24 });
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 40, features: 32, heads: 4, layers: 1 };

function fresh() {
  const model = transformerClassifier({ ...sizes, dropout: 0, seed: 1 });
  return { model, optimizer: adamW(model.parameters, { learningRate: 2e-3 }), progress: false };
}

async function trained(options: Pick<TrainOptions, "batches"> & Partial<TrainOptions>) {
  const own = { ...fresh(), ...options };
  const history = await train(own);
  const parameters = parameterList(own.model.parameters).flatMap(({ variable }) => [...variable.dataSync()]);
  return { ...own, history, parameters };
}

describe("accumulated gradients", () => {
  test("equal those of one large batch, also when the batches differ in size", async () => {
    const large = uniformLengthBatches(examples, { batchSize: 48 });
    const once = await trained({ batches: large, steps: 3 });
    for (const batches of [
      uniformLengthBatches(examples, { batchSize: 16 }),
      tokenBudgetBatches(examples, { maxTokens: 200 }),
      packedBatches(examples, { batchSize: 4, maxLength: 40 }),
    ]) {
      const accumulated = await trained({ batches, epochs: 3, accumulate: batches.count });
      assert.equal(accumulated.history.steps.length, 3);
      accumulated.history.steps.forEach(({ loss, accuracy, usefulTokens, sequences }, i) => {
        const expected = once.history.steps[i]!;
        assert.ok(Math.abs(loss - expected.loss) < 1e-4, `${batches.plan.strategy}: ${loss}, ${expected.loss}`);
        assert.ok(Math.abs(accuracy - expected.accuracy) < 1e-6);
        assert.deepEqual([usefulTokens, sequences], [expected.usefulTokens, 48]);
      });
      const worst = accumulated.parameters.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - once.parameters[i]!)),
        0,
      );
      assert.ok(worst < 1e-3, `${batches.plan.strategy}: parameters differ by ${worst}`);
    }
  });

  test("make an epoch's last step of the remaining batches", async () => {
    const batches = uniformLengthBatches(examples, { batchSize: 10, seed: 1 });
    const { history } = await trained({ batches, epochs: 2, accumulate: 2 });
    assert.deepEqual(
      history.steps.map(({ epoch, sequences }) => [epoch, sequences]).map(([epoch]) => epoch),
      [0, 0, 0, 1, 1, 1],
    );
    assert.equal(
      history.steps.reduce((sum, { sequences }) => sum + sequences, 0),
      96,
    );
  });
});

describe("early stopping", () => {
  const batches = bucketByLength(examples, { batchSize: 16, shapes: 2, seed: 1 });
  // Nothing can be learned at this rate but noise: the loss rises.
  const hopeless = { batches, steps: 60, evaluateEvery: 1, validation: [...batches], learningRate: () => 0.3 };

  test("ends when the evaluations no longer improve, and restores the best parameters", async () => {
    const { history, model } = await trained({ ...hopeless, earlyStop: { patience: 3 } });
    assert.equal(history.ended, "no longer improving");
    const losses = history.evaluations.map(({ loss }) => loss);
    const best = losses.indexOf(Math.min(...losses));
    assert.equal(best, losses.length - 1 - 3, "three evaluations came after the best one");
    assert.deepEqual(history.best, history.evaluations[best]);
    assert.ok(Math.abs(evaluate(model, batches).loss - history.best!.loss) < 1e-6);
  });

  test("can use the accuracy, and keep the last parameters", async () => {
    const earlyStop = { patience: 2, by: "accuracy", restoreBest: false } as const;
    const { history, model } = await trained({ ...hopeless, earlyStop });
    assert.ok(Math.abs(evaluate(model, batches).loss - history.evaluations.at(-1)!.loss) < 1e-6);
    const accuracies = history.evaluations.map(({ accuracy }) => accuracy);
    assert.ok(accuracies.slice(-2).every((accuracy) => accuracy <= history.best!.accuracy));
  });

  test("needs validation batches and a positive patience", async () => {
    await assert.rejects(trained({ batches, steps: 1, earlyStop: { patience: 1 } }), /needs `validation` batches/);
    await assert.rejects(trained({ ...hopeless, earlyStop: { patience: 0 } }), /patience must be a positive integer/);
  });
});

test("every step records its times and its useful tokens", async () => {
  const batches = uniformLengthBatches(examples, { batchSize: 16, seed: 1 });
  const { history } = await trained({ batches, steps: 6 });
  const { history: plain } = await trained({ batches, steps: 2, capture: false });
  for (const { times } of plain.steps) assert.equal(times.forward! + times.backward!, times.gradients);
  for (const { times, milliseconds, usefulTokens, tokens } of history.steps) {
    const parts = [times.data, times.gradients, times.update];
    assert.ok(parts.every((part) => part > 0));
    assert.ok(parts.reduce((sum, part) => sum + part, 0) <= milliseconds);
    assert.ok(usefulTokens <= tokens);
  }
  assert.ok(history.steps.every(({ processor }) => processor > 0));
  const [, second, third] = history.steps;
  const byProcessor = (1000 * third!.usefulTokens) / third!.processor;
  assert.equal(usefulTokensPerSecond(history.steps.slice(0, 3), { skip: 2, by: "processor" }), byProcessor);
  const expected = (1000 * (second!.usefulTokens + third!.usefulTokens)) / (second!.milliseconds + third!.milliseconds);
  assert.ok(Math.abs(usefulTokensPerSecond(history.steps.slice(0, 3)) / expected - 1) < 1e-9);
});

test("invalid counts are rejected", async () => {
  const batches = uniformLengthBatches(examples, { batchSize: 16 });
  await assert.rejects(trained({ batches, steps: 0 }), /steps must be a positive integer, got 0/);
  await assert.rejects(trained({ batches, epochs: 0.5 }), /epochs must be a positive integer, got 0.5/);
  await assert.rejects(trained({ batches, steps: 1, accumulate: 0 }), /accumulate must be a positive integer, got 0/);
});
