import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  adamW,
  add,
  arrayBatches,
  at,
  type Batch,
  crossEntropy,
  dynamicLengthBatches,
  embedding,
  evaluate,
  freeUnreachable,
  GradScaler,
  generator,
  item,
  matmul,
  mean,
  metricCurve,
  mul,
  nativeMemory,
  parameters,
  randn,
  ready,
  reshape,
  runtimeInfo,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tf,
  train,
  zeros,
} from "../../src/index.ts";
import { expected, optimizers, perceptron, rowBatches, tagger } from "./small-models.ts";

before(ready);

const quiet = { progress: false } as const;

/** 24 images of 6 by 6 pixels whose bright half is the label. */
function images() {
  const rng = generator(3);
  const labels = Array.from({ length: 24 }, (_, i) => i % 2);
  const noise = randn([24, 6, 6, 1], { from: rng }).dataSync();
  const data = Float32Array.from(
    noise,
    (value, i) => 0.3 * value + (Math.floor((i % 36) / 18) === labels[Math.floor(i / 36)] ? 1 : 0),
  );
  return { images: { data, shape: [24, 6, 6, 1] as const }, labels };
}

/** A convolution, global pooling and a linear layer. */
function cnn() {
  const rng = generator(1);
  const own = parameters({
    kernel: randn([3, 3, 1, 4], { from: rng }),
    weight: randn([36, 2], { from: rng }),
    bias: zeros([2]),
  });
  const apply = (p: typeof own, batch: { images: Tensor<[number, 6, 6, 1]> }) => {
    const features = tf.maxPool(tf.relu(tf.conv2d(batch.images, p.kernel, 1, "same")), 2, 2, "same");
    return add(matmul(reshape(features, [-1, 36]), p.weight), p.bias);
  };
  return { parameters: own, apply };
}

/** A translator that adds the sum of the source's tokens to each token of the target. */
function translator() {
  const rng = generator(2);
  const own = parameters({
    source: randn([11, 6], { from: rng }),
    target: randn([11, 6], { from: rng }),
    head: randn([6, 11], { from: rng }),
  });
  const ids = ({ ids: values, rows, time }: Batch) => tensor(values, { dtype: "int32", shape: [rows, time] });
  const apply = (p: typeof own, { source, target }: { source: Batch; target: Batch }) => {
    const mask = tensor(source.mask, { dtype: "float32", shape: [source.rows, source.time, 1] });
    const context = sum(mul(embedding(p.source, ids(source)), mask), 1, { keepDims: true });
    return matmul(add(embedding(p.target, ids(target)), context), p.head);
  };
  return { parameters: own, apply };
}

const pairs = expected.sequences.map((tokens, i) => ({
  source: { tokens },
  target: { tokens: expected.sequences[(i + 3) % expected.sequences.length]! },
}));

describe("train takes", () => {
  test("a convolutional network on batches of arrays, and holds no memory between its steps", async () => {
    const model = cnn();
    const batches = arrayBatches(images(), { batchSize: 6, seed: 1 });
    const optimizer = adamW(model.parameters, { learningRate: 0.02 });
    const history = await train({ ...quiet, model, batches, optimizer, epochs: 10, validation: batches });
    assert.equal(history.steps.length, 40);
    assert.equal(history.evaluations.at(-1)!.metrics.accuracy, 1);
    assert.ok(history.steps.at(-1)!.loss < history.steps[0]!.loss / 4);
    freeUnreachable();
    const { steps } = await train({ ...quiet, model, batches, optimizer, steps: 12 });
    assert.equal(new Set(steps.slice(1).map(({ liveBytes }) => liveBytes)).size, 1);
    freeUnreachable();
    const before = nativeMemory().tensors;
    evaluate(model, batches);
    assert.equal(nativeMemory().tensors, before);
  });

  test("pairs of sequences, whose logits belong to the target, and counts the tokens of both", async () => {
    for (const batches of [
      dynamicLengthBatches(pairs, { batchSize: 3, seed: 1 }),
      dynamicLengthBatches(pairs, { batchSize: pairs.length, side: "left" }),
    ]) {
      const model = translator();
      const optimizer = adamW(model.parameters, { learningRate: 0.05 });
      const accumulate = batches.count;
      const history = await train({ ...quiet, model, batches, optimizer, epochs: 30, accumulate, loss: "nextToken" });
      const [first] = history.steps;
      const tokens = expected.sequences.reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual([first!.sequences, first!.usefulTokens], [7, 2 * tokens]);
      assert.ok(history.steps.at(-1)!.loss < first!.loss / 3, `${first!.loss}, ${history.steps.at(-1)!.loss}`);
      const once = dynamicLengthBatches(pairs, { batchSize: pairs.length });
      const [fresh, each] = [translator(), dynamicLengthBatches(pairs, { batchSize: 2 })];
      const whole = evaluate(fresh, once, { loss: "nextToken" });
      assert.ok(Math.abs(evaluate(fresh, each, { loss: "nextToken" }).loss / whole.loss - 1) < 1e-6);
      assert.ok(Math.abs(first!.loss / whole.loss - 1) < 1e-6);
    }
  });

  test("an autoencoder whose batch is a tensor and whose loss reports metrics of its own", async () => {
    const rng = generator(4);
    const own = parameters({ down: randn([6, 2], { from: rng }), up: randn([2, 6], { from: rng }) });
    const model = {
      parameters: own,
      apply: (p: typeof own, x: Tensor<[8, 6]>) => {
        const code = matmul(x, p.down);
        return { code, restored: matmul(code, p.up) };
      },
    };
    const data = [1, 2, 3].map((seed) => randn([8, 6], { from: seed }));
    const history = await train({
      ...quiet,
      model,
      batches: data,
      optimizer: adamW(own, { learningRate: 0.02 }),
      epochs: 40,
      validation: data,
      loss: ({ code, restored }, x) => ({
        loss: mean(square(sub(restored, x))),
        metrics: { size: mean(square(code)), constant: 3 },
      }),
    });
    assert.ok(history.steps.at(-1)!.loss < history.steps[0]!.loss / 2);
    const { metrics, accuracy, loss } = history.evaluations.at(-1)!;
    assert.deepEqual([Object.keys(metrics), metrics.constant, accuracy], [["size", "constant"], 3, Number.NaN]);
    const parts = data.map((x) => {
      const { code, restored } = model.apply(own, x);
      return [item(mean(square(sub(restored, x)))), item(mean(square(code)))] as const;
    });
    assert.ok(Math.abs(parts.reduce((sum, [each]) => sum + each / 3, 0) - loss) < 1e-6);
    assert.ok(Math.abs(parts.reduce((sum, [, each]) => sum + each / 3, 0) - metrics.size!) < 1e-5);
    assert.deepEqual(history.steps[0]!.sequences, 8);
    const curve = metricCurve(history, "size");
    assert.deepEqual(
      (curve.data[1] as { y: number[] }).y,
      history.evaluations.map((each) => each.metrics.size),
    );
    assert.throws(() => metricCurve(history, "f1"), /has no metric "f1", only size, constant/);
  });

  test("batches of several tensors without labels, whose sizes differ, count as one large batch", async () => {
    const own = parameters({ weight: randn([4, 2], { from: 5 }) });
    const model = {
      parameters: own,
      apply: (p: typeof own, { x }: { x: Tensor<[number, 4]> }) => ({ y: matmul(x, p.weight), scale: 1 }),
    };
    const all = randn([8, 6], { from: 6 });
    const part = (start: number, end: number) => ({
      x: at(all, `${start}:${end}`, ":4"),
      target: at(all, `${start}:${end}`, "4:"),
    });
    const loss = ({ y }: { y: Tensor<[number, 2]> }, { target }: ReturnType<typeof part>) =>
      mean(square(sub(y, target)));
    const whole = evaluate(model, [part(0, 8)], { loss }).loss;
    assert.ok(Math.abs(evaluate(model, [part(0, 5), part(5, 8)], { loss }).loss - whole) < 1e-6);
    const optimizer = adamW(own);
    const batches = [part(0, 5), part(5, 8)];
    const { steps } = await train({ ...quiet, model, batches, optimizer, steps: 1, accumulate: 2, loss });
    assert.ok(Math.abs(steps[0]!.loss - whole) < 1e-6);
    assert.equal(steps[0]!.sequences, 8);
  });

  test("batches from a generator function by epoch, whose number it does not know beforehand", async () => {
    const seen: number[] = [];
    const batches = function* (epoch: number) {
      seen.push(epoch);
      for (const batch of rowBatches().slice(0, epoch === 1 ? 1 : 3)) yield batch;
    };
    const model = perceptron();
    const history = await train({
      ...quiet,
      model,
      batches,
      optimizer: optimizers.sgd(model.parameters),
      epochs: 3,
      accumulate: 2,
      validation: rowBatches(),
    });
    assert.deepEqual(seen, [0, 1, 2]);
    assert.deepEqual(
      history.steps.map(({ epoch, sequences }) => [epoch, sequences]),
      [
        [0, 10],
        [0, 2],
        [1, 5],
        [2, 10],
        [2, 2],
      ],
    );
    assert.deepEqual(
      history.evaluations.map(({ step }) => step),
      [0, 5],
    );
    assert.equal(history.ended, "all steps taken");
  });

  test("a function's weight, and batches with nothing to count", async () => {
    const loss = (outputs: Tensor<[number, 3] | [number, number]>, { labels }: { labels: number[] }) => ({
      loss: crossEntropy(outputs, tensor(labels, { dtype: "int32" })),
      weight: labels.filter((label) => label >= 0).length,
    });
    const ignored = rowBatches().map((batch, i) => ({
      ...batch,
      labels: batch.labels.map((label) => (i === 1 ? -100 : label)),
    }));
    const results: number[][] = [];
    for (const own of [{ loss }, {}]) {
      const model = perceptron();
      const optimizer = optimizers.sgd(model.parameters);
      const { steps } = await train({ ...quiet, ...own, model, optimizer, batches: ignored, steps: 2, accumulate: 3 });
      results.push([...steps.map((step) => step.loss), evaluate(model, ignored, own).loss]);
      assert.deepEqual(steps[0]!.sequences, 12);
      const last = perceptron();
      await assert.rejects(
        train({
          ...quiet,
          ...own,
          model: last,
          optimizer: optimizers.sgd(last.parameters),
          batches: ignored.slice(1),
          steps: 1,
        }),
        /step 1: (the loss function|loss "crossEntropy") has nothing to count in the batch/,
      );
    }
    for (const [i, value] of results[0]!.entries()) assert.ok(Math.abs(value - results[1]![i]!) < 1e-6);
  });

  test("float16 with a scaler", async (t) => {
    if (runtimeInfo().backend !== "tensorflow") return t.skip("needs the native runtime");
    const model = tagger();
    const batches = dynamicLengthBatches(
      expected.sequences.map((tokens, i) => ({ tokens, tokenLabels: expected.tags[i]! })),
      { batchSize: 3, seed: 1 },
    );
    const scaler = new GradScaler({ initScale: 2 ** 40 });
    const optimizer = optimizers.adamW(model.parameters);
    const half = { loss: "tokenCrossEntropy", autocast: "float16", scaler } as const;
    const { steps } = await train({ ...quiet, ...half, model, batches, optimizer, steps: 60, accumulate: 2 });
    assert.ok(steps.some(({ skipped }) => skipped) && !steps.at(-1)!.skipped);
    assert.ok(steps.at(-1)!.loss < steps[0]!.loss);
    const plain = perceptron();
    const own = { model: plain, batches: rowBatches(), optimizer: optimizers.sgd(plain.parameters), steps: 3 };
    const overflowing = await train({
      ...quiet,
      ...own,
      autocast: "float16",
      scaler: new GradScaler({ initScale: 2 ** 60 }),
    });
    assert.ok(overflowing.steps.every(({ skipped, loss }) => skipped && Number.isFinite(loss)));
  });

  test("early stopping by any metric, in the direction that is better", async () => {
    const model = perceptron();
    const evaluations = [5, 4, 4.5, 3, 3, 3];
    let made = 0;
    const options = {
      ...quiet,
      model,
      batches: rowBatches(),
      optimizer: optimizers.sgd(model.parameters),
      steps: 20,
      evaluateEvery: 2,
      validation: rowBatches().slice(0, 1),
      loss: (outputs: Tensor<[number, number]>, { labels }: { labels: number[] }) => {
        const loss = crossEntropy(outputs, tensor(labels, { dtype: "int32" }));
        return { loss, metrics: { surprise: evaluations[Math.floor(made++ / 3)] ?? 3 } };
      },
    };
    // Each evaluation and the two steps before it call the loss.
    made = 2;
    const history = await train({ ...options, earlyStop: { patience: 2, by: "surprise", mode: "min" } });
    assert.deepEqual(
      [history.ended, history.best!.metrics.surprise, history.evaluations.length],
      ["no longer improving", 3, 6],
    );
    await assert.rejects(
      // @ts-expect-error a metric of one's own needs a direction
      train({ ...options, earlyStop: { patience: 2, by: "surprise" } }),
      /earlyStop by "surprise" needs mode: "min" or "max"/,
    );
    await assert.rejects(
      train({ ...options, earlyStop: { patience: 2, by: "f1" } }),
      /earlyStop by "f1": the evaluation does not have it; use "loss" or "surprise"/,
    );
  });
});
