import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  adamW,
  add,
  crossEntropy,
  dynamicLengthBatches,
  evaluate,
  GradScaler,
  historyOf,
  matmul,
  mean,
  noGrad,
  parameterList,
  parameters,
  randn,
  ready,
  sgd,
  sqrt,
  stopGradient,
  sub,
  type Tensor,
  tensor,
  tf,
  train,
  zeros,
} from "../../src/index.ts";
import { expected, optimizers, perceptron, type RowBatch, rowBatches, tagger } from "./small-models.ts";

before(ready);

const quiet = { steps: 3, progress: false } as const;
type Logits = Tensor<[number, number], "float32">;

/** What `train` rejects with, for the perceptron with some other options. */
async function rejected(options: object): Promise<string> {
  const model = perceptron();
  const own = { ...quiet, model, batches: rowBatches(), optimizer: optimizers.sgd(model.parameters), ...options };
  return train(own as typeof own & { loss: "crossEntropy" }).then(
    () => assert.fail("it was accepted"),
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

describe("train rejects", () => {
  test("what is no model, and a model without parameters to train", async () => {
    const [apply, optimizer] = [() => zeros([1]), sgd(perceptron().parameters)];
    assert.match(await rejected({ model: {} }), /^TypeError: train: the model must be \{ parameters, apply/);
    assert.match(
      await rejected({ model: { parameters: {}, apply }, optimizer }),
      /^TypeError: train: the model has no parameters: expected .* parameters\(\{...\}\)/,
    );
    assert.match(
      await rejected({ model: { parameters: { layer: { weight: zeros([2]) } }, apply }, optimizer }),
      /^TypeError: `layer.weight` is not trainable: it is a plain tensor/,
    );
    const frozen = { parameters: { weight: tf.variable(tf.zeros([2]), false) }, apply };
    assert.match(
      await rejected({ model: frozen, optimizer }),
      /^TypeError: train: none of the model's 1 parameters is trainable, for instance `weight`/,
    );
  });

  test("an optimizer of another model, and accepts one of a part of the model", async () => {
    assert.match(
      await rejected({ optimizer: sgd(perceptron().parameters) }),
      /^TypeError: train: 3 of the optimizer's 3 parameters are not the model's, the first of shape \[4, 8\]: make the optimizer from `model.parameters`/,
    );
    const model = perceptron();
    const before = model.parameters.first.dataSync().slice();
    const optimizer = sgd({ second: model.parameters.second });
    await train({ ...quiet, model, batches: rowBatches(), optimizer });
    assert.deepEqual(model.parameters.first.dataSync(), before);
  });

  test("batches that are none, are empty or can be read only once", async () => {
    assert.match(await rejected({ batches: 5 }), /^TypeError: batches must be those of a batching function, an array/);
    const asynchronous = { [Symbol.asyncIterator]() {} };
    assert.match(await rejected({ batches: asynchronous }), /collect an async iterable into an array first/);
    assert.match(await rejected({ batches: [] }), /^Error: batches has no batch in epoch 0/);
    assert.match(await rejected({ batches: () => [] }), /^Error: batches has no batch in epoch 0/);
    const once = rowBatches()[Symbol.iterator]();
    assert.match(
      await rejected({ batches: once, steps: 4 }),
      /^TypeError: batches is an iterator, which gives one epoch/,
    );
  });

  test("batches without what the loss needs, with what they have", async () => {
    assert.match(
      await rejected({ batches: rowBatches().map(({ x }) => ({ x })) }),
      /^TypeError: loss "crossEntropy" needs labels, but the batch has x: make it from data with a label for each example, or give a loss function/,
    );
    assert.match(
      await rejected({ loss: "tokenCrossEntropy" }),
      /^TypeError: loss "tokenCrossEntropy" needs tokenLabels, but the batch has x, labels, targets/,
    );
    assert.match(await rejected({ loss: "nextToken" }), /^TypeError: loss "nextToken" needs ids, but the batch has/);
    assert.match(
      await rejected({ batches: rowBatches().map((batch) => ({ ...batch, labels: batch.targets })) }),
      /^TypeError: loss "crossEntropy" needs integer labels, got .* at 0: use "meanSquaredError"/,
    );
    assert.match(
      await rejected({ batches: rowBatches().map((batch) => ({ ...batch, labels: batch.labels.slice(1) })) }),
      /^RangeError: loss "crossEntropy" needs outputs \[examples, classes\] for the batch's 4 labels, got \[5, 3\]/,
    );
    assert.match(await rejected({ loss: "meanSquaredError" }), /a regression needs a model with 1 output, got 3/);
    const model = tagger();
    const batches = dynamicLengthBatches(expected.sequences, { batchSize: 2 });
    const own = { ...quiet, model, batches, optimizer: optimizers.sgd(model.parameters) };
    await assert.rejects(
      train({ ...own, loss: "tokenCrossEntropy" }),
      /needs tokenLabels, but the batch has rows, time, ids/,
    );
    await assert.rejects(train(own), /loss "crossEntropy" needs labels, but the batch has rows, time, ids/);
    assert.throws(() => evaluate(model, batches, { loss: "tokenCrossEntropy" }), /needs tokenLabels/);
  });

  test("a loss that is not a scalar, not a tensor, or does not depend on the parameters", async () => {
    const loss = (f: (outputs: Logits, batch: RowBatch) => unknown) => rejected({ loss: f });
    assert.match(await rejected({ loss: 3 }), /^TypeError: loss must be "crossEntropy".* or a function, got 3/);
    assert.match(
      await loss((outputs) => outputs),
      /^TypeError: the loss function must return a float32 scalar, got float32 \[5, 3\]: take its mean/,
    );
    assert.match(await loss(() => 2), /^TypeError: the loss function must return a scalar tensor, .* got number/);
    assert.match(await loss(() => undefined), /got undefined/);
    assert.match(await loss(() => ({ value: 1 })), /got an object with value/);
    assert.match(await loss(async () => 1), /got a Promise: it must not be async/);
    assert.match(
      await loss((outputs) => ({ loss: mean(outputs), metrics: { top: outputs } })),
      /^TypeError: the metric `top` must be a scalar tensor or a number, got a tensor \[5, 3\]/,
    );
    assert.match(
      await loss((outputs) => ({ loss: mean(outputs), weight: Number.NaN })),
      /^RangeError: the loss function's weight must be a finite number of at least 0, got NaN/,
    );
    assert.match(
      await loss((outputs) => mean(stopGradient(outputs))),
      /^Error: step 1: the loss function does not depend on any of the optimizer's parameters: compute it/,
    );
    const apply = () => ({ logits: zeros([1, 2]) });
    const { parameters: own } = perceptron();
    assert.match(
      await rejected({ model: { parameters: own, apply }, optimizer: sgd(own) }),
      /^TypeError: loss "crossEntropy" needs a model whose outputs are a tensor \[examples, classes\], got object: give a loss function/,
    );
  });
});

describe("a step that fails leaves parameters, running statistics and optimizer as they were:", () => {
  const failures: Record<string, (step: number) => number> = {
    "a loss that is not a number": (step) => (step === 2 ? Number.NaN : 0),
    "an error in the loss": (step) => {
      if (step === 2) throw new Error("no loss");
      return 0;
    },
  };
  for (const [name, extra] of Object.entries(failures)) {
    for (const scaler of [undefined, new GradScaler()]) {
      test(`${name}${scaler ? ", with a scaler" : ""}`, async () => {
        const trained = parameters({ weight: randn([4, 3], { from: 1 }) });
        const seen = tf.variable(tf.zeros([4]), false) as unknown as Tensor<[4], "float32"> & {
          assign(x: Tensor): void;
        };
        const own = { ...trained, seen };
        let step = 0;
        const model = {
          parameters: own,
          apply: (p: typeof own, { x }: RowBatch) => {
            noGrad(() => p.seen.assign(add(p.seen, mean(x, 0))));
            return matmul(sub(x, stopGradient(mean(x, 0))), p.weight);
          },
        };
        const optimizer = adamW(trained);
        const options = {
          progress: false,
          model,
          batches: rowBatches(),
          optimizer,
          ...(scaler ? { scaler } : {}),
          loss: (outputs: Logits, { labels }: RowBatch) =>
            add(crossEntropy(outputs, tensor(labels, { dtype: "int32" })), extra(step++)),
        };
        const state = () =>
          JSON.stringify([parameterList(own).map(({ variable }) => [...variable.dataSync()]), optimizer.stateDict()]);
        await train({ ...options, steps: 2 });
        const before = state();
        step = 2;
        const again = train({ ...options, steps: 3 });
        await assert.rejects(again, /the loss is NaN at step 1: lower the learning rate|no loss/);
        assert.equal(state(), before);
        assert.equal(historyOf(model)!.ended, "unfinished");
        step = 3;
        await train({ ...options, steps: 2 });
        assert.notEqual(state(), before);
      });
    }
  }
});

test("a learning rate that is not a finite number of 0 or more is rejected before the step", async () => {
  for (const rate of [Number.NaN, -0.1, Number.POSITIVE_INFINITY]) {
    const model = perceptron();
    const values = () => parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]);
    const before = values();
    const message = new RegExp(`the learning rate of step 1 must be a finite number of 0 or more, got ${rate}`);
    const optimizer = adamW(model.parameters);
    await assert.rejects(
      train({ ...quiet, model, batches: rowBatches(), optimizer, learningRate: () => rate }),
      message,
    );
    assert.throws(
      () =>
        optimizer.step(
          optimizer.variables.map((variable) => zeros(variable.shape)),
          rate,
        ),
      message,
    );
    assert.deepEqual([values(), optimizer.stateDict().step], [before, 0]);
  }
  assert.throws(
    () => adamW(perceptron().parameters, { betas: [0.9, 1] }),
    /betas must be two numbers .* below 1, got 0.9,1/,
  );
});

test("labels of binaryCrossEntropy lie between 0 and 1", () => {
  const batch = { ...rowBatches()[0]!, labels: [0, 1, 2, 0, 1] };
  assert.throws(() => evaluate(perceptron(expected.oneOutput), [batch], { loss: "binaryCrossEntropy" }), {
    name: "RangeError",
    message: 'loss "binaryCrossEntropy" needs labels from 0 to 1, got 2 at 2: use "crossEntropy" for more classes',
  });
});

test("a loss that is NaN because of an earlier gradient names the parameter", async () => {
  const loss = (outputs: Logits) => mean(sqrt(sub(outputs, stopGradient(outputs))));
  const message = await rejected({ loss });
  assert.match(
    message,
    /^Error: the loss is NaN at step 2, because the parameter first is not finite: the gradient of/,
  );
});
