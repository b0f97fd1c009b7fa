import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  crossEntropy,
  dynamicLengthBatches,
  type History,
  parameterList,
  ready,
  tensor,
  train,
} from "../../src/index.ts";
import { assertClose } from "../nn/reference.ts";
import {
  expected,
  type OptimizerName,
  optimizers,
  perceptron,
  type RowBatch,
  rowBatches,
  rowsOf,
  strategies,
  taggedSequences,
  tagger,
} from "./small-models.ts";

before(ready);

const names = Object.keys(optimizers) as OptimizerName[];
const quiet = { steps: 10, progress: false } as const;

/** Losses, accuracies and final parameters are PyTorch's. */
function assertSameRun(history: History, model: { parameters: object }, name: string, optimizer: OptimizerName): void {
  const { losses, accuracies, parameters } = expected.runs[name]![optimizer];
  history.steps.forEach(({ loss, metrics }, i) => {
    // A squared difference of 0.3 between numbers of 3: their last place is 2e-6 of it. In doubles PyTorch differs by 4e-7 there.
    assert.ok(Math.abs(loss / losses[i]! - 1) < 4e-6, `${name}, step ${i + 1}: ${loss} is not ${losses[i]}`);
    if (accuracies[i] !== null)
      assert.ok(Math.abs(metrics.accuracy! - accuracies[i]!) < 1e-6, `${name}, step ${i + 1}`);
  });
  assert.equal(history.steps.length, losses.length);
  for (const { name: path, variable } of parameterList(model.parameters)) {
    assertClose(variable, parameters[path]!, 1e-5, `${name}: ${path}`);
  }
}

for (const name of names) {
  describe(`ten steps of ${name} equal PyTorch's`, () => {
    test("of a perceptron on batches of one's own", async () => {
      const model = perceptron();
      const history = await train({
        ...quiet,
        model,
        batches: rowBatches(),
        optimizer: optimizers[name](model.parameters),
      });
      assertSameRun(history, model, "classes", name);
      assert.deepEqual(
        history.steps.map(({ epoch, sequences, tokens, usefulTokens }) => [epoch, sequences, tokens, usefulTokens]),
        Array.from({ length: 10 }, (_, i) => [Math.floor(i / 3), i % 3 === 2 ? 2 : 5, 0, 0]),
      );
    });

    test("where batches of unequal size are accumulated, by the loss' name and by a function", async () => {
      const loss = (outputs: ReturnType<ReturnType<typeof perceptron>["apply"]>, { labels }: RowBatch) =>
        crossEntropy(outputs, tensor(labels, { dtype: "int32" }));
      for (const own of [{}, { loss }]) {
        const model = perceptron();
        const optimizer = optimizers[name](model.parameters);
        const history = await train({ ...quiet, ...own, model, batches: rowBatches(), optimizer, accumulate: 3 });
        const { losses, parameters } = expected.runs.classesAtOnce![name];
        for (const [i, step] of history.steps.entries()) assert.ok(Math.abs(step.loss / losses[i]! - 1) < 2e-6);
        for (const { name: path, variable } of parameterList(model.parameters)) {
          assertClose(variable, parameters[path]!, 1e-5, path);
        }
      }
    });

    test("with a function of the outputs that smooths the labels", async () => {
      const model = perceptron();
      const history = await train({
        ...quiet,
        model,
        batches: rowBatches(),
        optimizer: optimizers[name](model.parameters),
        loss: (outputs, { labels }) =>
          crossEntropy(outputs, tensor(labels, { dtype: "int32" }), { labelSmoothing: 0.1 }),
      });
      const { losses } = expected.runs.smoothed![name];
      for (const [i, { loss }] of history.steps.entries()) assert.ok(Math.abs(loss / losses[i]! - 1) < 2e-6);
    });

    test("of a regression and of a binary classification", async () => {
      for (const [run, loss, label] of [
        ["regression", "meanSquaredError", (i: number) => expected.targets[i]!],
        ["binary", "binaryCrossEntropy", (i: number) => (expected.labels[i]! > 0 ? 1 : 0)],
      ] as const) {
        const model = perceptron(expected.oneOutput);
        const batches = [
          [0, 1, 2, 3, 4],
          [5, 6, 7, 8, 9],
          [10, 11],
        ].map((indices) => ({
          ...rowsOf(indices),
          labels: indices.map(label),
        }));
        const history = await train({ ...quiet, model, batches, loss, optimizer: optimizers[name](model.parameters) });
        assertSameRun(history, model, run, name);
      }
    });

    test("of a tagger on padded sequences", async () => {
      const model = tagger();
      const batches = dynamicLengthBatches(taggedSequences(), { batchSize: 2 });
      const optimizer = optimizers[name](model.parameters);
      const history = await train({ ...quiet, model, batches, optimizer, loss: "tokenCrossEntropy" });
      assertSameRun(history, model, "tags", name);
    });

    test("of a tagger and a language model under every batching strategy, accumulated over unequal numbers of tokens", async () => {
      for (const batches of strategies()) {
        const tags = tagger();
        const every = { ...quiet, batches, accumulate: batches.count };
        const history = await train({
          ...every,
          model: tags,
          optimizer: optimizers[name](tags.parameters),
          loss: "tokenCrossEntropy",
        });
        assertSameRun(history, tags, "tagsAtOnce", name);
        const model = tagger(expected.language);
        const next = await train({ ...every, model, optimizer: optimizers[name](model.parameters), loss: "nextToken" });
        assertSameRun(next, model, "nextAtOnce", name);
      }
    });
  });
}
