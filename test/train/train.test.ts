import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { dynamicPad, fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { freeUnreachable } from "../../src/memory/index.ts";
import {
  type LanguageModelConfig,
  predictTransformerMemory,
  transformerClassifier,
  transformerLanguageModel,
  transformerParameterCount,
} from "../../src/nn/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import { countParameters, parameterList } from "../../src/tensor/index.ts";
import { adamW, evaluate, type StepRecord, train, valueAndGradients } from "../../src/train/index.ts";

await ready();

const examples = listOps({ count: 64, seed: 1, maxLength: 24 });
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 24, features: 32, heads: 4, layers: 2 };
const batches = fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 1 });
const quiet = { batches, progress: false };

function fresh({ dropout = 0.1, seed = 1 } = {}) {
  const model = transformerClassifier({ ...sizes, dropout, seed });
  return { model, optimizer: adamW(model.parameters, { learningRate: 2e-3, clipNorm: 1 }) };
}

describe("train", () => {
  test("fits a small set", async () => {
    const { model, optimizer } = fresh({ dropout: 0 });
    const validation = [...batches];
    const history = await train({ ...quiet, model, optimizer, steps: 240, validation, evaluateEvery: 80 });
    assert.deepEqual(
      history.evaluations.map(({ step }) => step),
      [0, 80, 160, 240],
    );
    assert.ok(history.evaluations[0]!.accuracy < 0.4);
    assert.ok(history.evaluations.at(-1)!.accuracy > 0.95, JSON.stringify(history.evaluations));
    assert.deepEqual(evaluate(model, validation).accuracy, history.evaluations.at(-1)!.accuracy);
  });

  test("holds no memory between steps, and none after model and optimizer are disposed", async () => {
    const before = { ...tf.memory(), native: nativeMemory().live };
    const { model, optimizer } = fresh();
    await train({ ...quiet, model, optimizer, steps: 4 });
    // What else this process has dropped is not freed in the middle of these steps.
    freeUnreachable();
    const { steps } = await train({ ...quiet, model, optimizer, steps: 60 });
    const live = new Set(steps.map(({ liveBytes }) => liveBytes));
    assert.equal(live.size, 1, `bytes after each step: ${[...live]}`);
    const tensors = tf.memory().numTensors;
    await train({ ...quiet, model, optimizer, steps: 5 });
    assert.equal(tf.memory().numTensors, tensors);
    optimizer.dispose();
    model.dispose();
    // Shapes, axes and factors stay on the device, a few bytes each.
    assert.ok(nativeMemory().live - before.native < 4096, `${nativeMemory().live - before.native} bytes are left`);
  });

  test("gives the same result for the same seeds, dropout included", async () => {
    const losses = async (seed: number) => {
      const { model, optimizer } = fresh();
      const { steps } = await train({ ...quiet, model, optimizer, steps: 6, seed });
      return steps.map(({ loss }) => loss);
    };
    const first = await losses(3);
    const second = await losses(3);
    assert.ok(second.every((loss, i) => Math.abs(loss - first[i]!) < 1e-4));
    assert.notDeepEqual(await losses(4), first);
  });

  test("gives dropout another seed in every step, batch and run, also where seed plus step is equal", async () => {
    const seen: number[] = [];
    const { model, optimizer } = fresh();
    const listening = {
      ...model,
      apply: (...[parameters, batch, options]: Parameters<typeof model.apply>) => {
        seen.push(options!.seed!);
        return model.apply(parameters, batch, options);
      },
    };
    for (const seed of [0, 1, 2, -1, 1_000_003])
      await train({ ...quiet, model: listening, optimizer, steps: 6, accumulate: 2, seed });
    assert.equal(seen.length, 60);
    assert.equal(new Set(seen).size, 60);
    // Other masks, other outputs.
    const batch = [...batches.epoch(0)][0]!;
    const outputs = seen.map((seed) => {
      const logits = model.apply(model.parameters, batch, { training: true, seed });
      return [...logits.dataSync()].join();
    });
    assert.equal(new Set(outputs).size, 60);
  });

  test("records every step", async () => {
    const { model, optimizer } = fresh();
    const seen: StepRecord[] = [];
    const history = await train({
      ...quiet,
      model,
      optimizer,
      epochs: 2,
      learningRate: (step) => 1e-3 / (step + 1),
      onStep: (record) => seen.push(record),
    });
    assert.deepEqual(seen, history.steps);
    assert.deepEqual(seen.map(({ step, epoch }) => [step, epoch]).at(-1), [8, 1]);
    assert.equal(seen[1]!.learningRate, 5e-4);
    assert.equal(seen[0]!.tokens, 16 * 24);
    assert.equal(
      seen.slice(0, 4).reduce((sum, { usefulTokens }) => sum + usefulTokens, 0),
      examples.reduce((sum, { tokens }) => sum + tokens.length, 0),
    );
    assert.ok(seen.every(({ gradientNorm, peakBytes, liveBytes }) => gradientNorm! > 0 && peakBytes > liveBytes));
  });

  test("stops when aborted and keeps the parameters", async () => {
    const { model, optimizer } = fresh();
    const abort = new AbortController();
    const onStep = ({ step }: StepRecord) => step === 3 && abort.abort();
    const history = await train({ ...quiet, model, optimizer, steps: 100, signal: abort.signal, onStep });
    assert.equal(history.steps.length, 3);
    assert.equal(history.ended, "aborted");
  });

  test("reports the step at which the loss is not finite, and the remedy", async () => {
    const { model, optimizer } = fresh();
    await assert.rejects(
      train({ ...quiet, model, optimizer, steps: 20, learningRate: () => 1e30 }),
      /the loss is (NaN|Infinity) at step \d+: lower the learning rate/,
    );
    await assert.rejects(train({ ...quiet, model, optimizer }), /either `steps` or `epochs`/);
  });
});

describe("valueAndGradients", () => {
  const x = tf.variable(tf.tensor1d([1, 2, 3]));
  const unused = tf.variable(tf.tensor1d([5]));

  test("equals tfjs' gradients, also where a variable is used twice", () => {
    const loss = () => tf.sum(tf.add(tf.mul(tf.square(x), x), tf.mul(x, 3))) as Scalar;
    const { value, gradients } = valueAndGradients(loss, [x]);
    assert.equal(value.dataSync()[0], 36 + 18);
    assert.deepEqual([...gradients[0]!.dataSync()], [6, 15, 30]);
    assert.deepEqual([...tf.variableGrads(loss, [x]).grads[x.name]!.dataSync()], [6, 15, 30]);
  });

  test("is 0 for a variable that the loss does not depend on", () => {
    const { gradients } = valueAndGradients(() => tf.sum(x) as Scalar, [unused, x]);
    assert.deepEqual([...gradients[0]!.dataSync()], [0]);
    assert.deepEqual([...gradients[1]!.dataSync()], [1, 1, 1]);
  });

  test("frees everything except its results, also when the loss throws", () => {
    // What the tests above have dropped is freed before an op whenever V8 has collected it.
    freeUnreachable();
    const before = tf.memory().numTensors;
    const { value, gradients } = valueAndGradients(() => tf.sum(tf.exp(tf.mul(x, x))) as Scalar, [x]);
    assert.equal(tf.memory().numTensors, before + 2);
    tf.dispose([value, ...gradients]);
    const broken = () => {
      tf.exp(x);
      throw new Error("broken");
    };
    assert.throws(() => valueAndGradients(broken, [x]), /broken/);
    assert.equal(tf.memory().numTensors, before);
  });
});

describe("the predicted memory", () => {
  test("counts the model's parameters", () => {
    for (const positions of ["sinusoidal", "learned"] as const) {
      const model = transformerClassifier({ ...sizes, positions });
      assert.equal(transformerParameterCount({ ...sizes, positions }), countParameters(model.parameters));
      assert.equal(parameterList(model.parameters).length, 16 * 2 + (positions === "learned" ? 4 : 3) + 2 - 4 * 2);
    }
  });

  for (const [name, options] of Object.entries({
    "with dropout": { dropout: 0.1 },
    "without dropout": { dropout: 0 },
    "with GELU": { activation: "gelu" as const },
    "with long rows": { maxLength: 200, layers: 3 },
  })) {
    test(`is within 15% of the measured peak ${name}`, async () => {
      const config = { ...sizes, features: 64, maxLength: 64, ...options };
      freeUnreachable();
      const model = transformerClassifier(config);
      const optimizer = adamW(model.parameters);
      const wide = fixedLengthBatches(examples, { batchSize: 16, maxLength: config.maxLength });
      const held = nativeMemory().live;
      const { steps } = await train({ model, optimizer, batches: wide, steps: 3, progress: false });
      const own = transformerParameterCount(config) * 4 * 3;
      const measured = steps.at(-1)!.peakBytes - Math.max(0, held - own);
      const { total } = predictTransformerMemory(config, { rows: 16, time: config.maxLength });
      assert.ok(Math.abs(total / measured - 1) < 0.15, `predicted ${total}, measured ${measured}`);
      optimizer.dispose();
      model.dispose();
    });
  }

  const language = { vocabularySize: 100, maxLength: 64, features: 64, heads: 4, layers: 2 };
  for (const [name, options] of Object.entries<Partial<LanguageModelConfig>>({
    "as GPT-2": {},
    "as GPT-2, without dropout": { dropout: 0 },
    "as Llama": {
      ...{ norm: "rmsNorm", bias: false, activation: "swiGLU", positions: "rotary", tied: false, keyValueHeads: 2 },
    },
    "with a large vocabulary": { vocabularySize: 2000 },
  })) {
    test(`is within 15% of the measured peak of a language model ${name}`, async () => {
      const config = { ...language, ...options };
      const texts = Array.from({ length: 16 }, (_, i) => Array.from({ length: 64 }, (_, t) => (i * 7 + t * 3) % 100));
      freeUnreachable();
      const held = nativeMemory().live;
      const model = transformerLanguageModel(config);
      assert.equal(transformerParameterCount(config), countParameters(model.parameters));
      const optimizer = adamW(model.parameters);
      const quiet = { steps: 3, loss: "nextToken" as const, progress: false };
      const { steps } = await train({ model, optimizer, batches: [dynamicPad(texts)], ...quiet });
      const measured = steps.at(-1)!.peakBytes - held;
      const { total } = predictTransformerMemory(config, { rows: 16, time: 64 });
      assert.ok(Math.abs(total / measured - 1) < 0.15, `predicted ${total}, measured ${measured}`);
      optimizer.dispose();
      model.dispose();
    });
  }
});
