import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  adafactor,
  adamW,
  arrayBatches,
  type Batch,
  batchNorm,
  conv2d,
  dropout,
  dynamicLengthBatches,
  fixedLengthBatches,
  flatten,
  historyOf,
  linear,
  listOps,
  listOpsVocabulary,
  maxPool2d,
  modelOf,
  mul,
  packedBatches,
  parameterList,
  probe,
  relu,
  sequential,
  setKernels,
  type Tensor,
  tensor,
  train,
  transformerClassifier,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/index.ts";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { stepFunctions } from "../../src/train/step-functions.ts";

const skip = !runtimeInfo().capture && "nothing is captured here";
const examples = listOps({ count: 64, seed: 1, minLength: 6, maxLength: 24 });
const vocabularySize = listOpsVocabulary.size;
const sizes = { maxLength: 25, features: 16, heads: 2, layers: 2, dropout: 0.1, seed: 1 };

interface Setup {
  model: { parameters: object; apply: unknown };
  options: object;
}

/** Trains a new model, and gives what it did and how. */
async function run({ model, options }: Setup, capture: boolean) {
  const optimizer = adamW(model.parameters as never, { clipNorm: 1 });
  const settings = { model, optimizer, steps: 12, seed: 5, progress: false, capture, ...options };
  const { steps } = await train(settings as never);
  const { gradients, update } = stepFunctions(model, optimizer);
  return {
    steps: steps.map(({ loss, metrics, gradientNorm, sequences }) => ({ loss, metrics, gradientNorm, sequences })),
    values: parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]),
    states: [gradients.state, update.state],
  };
}

/**
 * Trains with and without capture, compares, and gives how many steps ran without their JavaScript. A function is made when the same
 * ops have run three times. The first update also makes the optimizer's state; the first gradients are not recorded.
 */
async function replaysOf(make: () => Setup): Promise<number[]> {
  const [plain, captured] = [await run(make(), false), await run(make(), true)];
  assert.deepEqual(captured.steps, plain.steps);
  assert.deepEqual(captured.values, plain.values);
  assert.deepEqual(
    captured.states.map(({ replayFault }) => replayFault),
    [undefined, undefined],
  );
  return captured.states.map(({ replays }) => replays);
}

interface Rows {
  x: Tensor<[number, number], "float32">;
  labels: number[];
}

/** Batches of `{ x, labels }`, with other numbers each. */
const rows = (count: number, features: number, classes: number) => (): Rows[] =>
  Array.from({ length: 4 }, (_, b) => ({
    x: tensor(Array.from({ length: count }, (_, i) => Array.from({ length: features }, (_, j) => Math.sin(b + i * j)))),
    labels: Array.from({ length: count }, (_, i) => (i + b) % classes),
  }));

describe("a step of a training without its JavaScript", { skip }, () => {
  test("is that of a language model, whose batches count other numbers of tokens", async () => {
    const make = (batches: object) => () => ({
      model: transformerLanguageModel({ ...sizes, vocabularySize }),
      options: { batches, loss: "nextToken", steps: 30 },
    });
    const fixed = await replaysOf(make(fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 2 })));
    assert.deepEqual(fixed, [27, 26]);
    const packed = await replaysOf(make(packedBatches(examples, { batchSize: 4, maxLength: 24, seed: 2 })));
    assert.ok(packed[0]! >= 15 && packed[1]! >= 26, `${packed}`);
  });

  test("is that of an encoder and a decoder", async () => {
    const pairs = examples.map(({ tokens }) => ({ source: { tokens }, target: { tokens: [1, ...tokens] } }));
    const replays = await replaysOf(() => ({
      model: transformerSeq2Seq({
        ...{ ...sizes, sourceVocabularySize: vocabularySize, targetVocabularySize: vocabularySize, startToken: 1 },
      }),
      options: {
        batches: fixedLengthBatches(pairs, { batchSize: 16, maxLength: 25, seed: 2 }),
        loss: "nextToken",
        steps: 20,
      },
    }));
    assert.ok(replays[0]! >= 15 && replays[1]! >= 15, `${replays}`);
  });

  test("is that of pairs whose two sequences are one object at first", async () => {
    const [batch] = fixedLengthBatches(
      examples.map(({ tokens }) => ({ tokens: [1, ...tokens] })),
      { batchSize: 16, maxLength: 25 },
    );
    const startsLate = {
      ...batch!,
      ids: batch!.ids.map((id, i) => (i % 25 === 0 ? 1 : (id % (vocabularySize - 1)) + 1)),
    };
    const own = async (capture: boolean) => {
      const vocabularies = {
        sourceVocabularySize: vocabularySize,
        targetVocabularySize: vocabularySize,
        startToken: 1,
      };
      const model = transformerSeq2Seq({ ...sizes, ...vocabularies });
      const optimizer = adamW(model.parameters);
      const batches = Array.from({ length: 8 }, (_, i) => ({ source: batch!, target: i < 6 ? batch! : startsLate }));
      const { steps } = await train({
        model,
        optimizer,
        batches,
        epochs: 1,
        loss: "nextToken",
        capture,
        progress: false,
      });
      return { losses: steps.map(({ loss }) => loss), state: stepFunctions(model, optimizer).gradients.state };
    };
    const [plain, captured] = [await own(false), await own(true)];
    assert.deepEqual(captured.losses, plain.losses);
    assert.notEqual(plain.losses[5], plain.losses[6]);
    assert.equal(captured.state.replays, 5);
  });

  test("is that of layers in a row with running statistics, on images", async () => {
    const images = Array.from({ length: 48 }, (_, n) =>
      Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => [Math.sin(n * i + j)])),
    );
    const labels = images.map((_, n) => n % 3);
    const replays = await replaysOf(() => {
      const net = sequential([
        conv2d({ in: 1, out: 4, kernelSize: 3, from: 1 }),
        batchNorm({ features: 4 }),
        relu,
        maxPool2d({ kernelSize: 2 }),
        flatten(),
        dropout({ rate: 0.2 }),
        linear({ in: 36, out: 3, from: 2 }),
      ]);
      return {
        model: modelOf(net as never, ({ images }: { images: never }) => images),
        options: { batches: arrayBatches({ images, labels }, { batchSize: 12, seed: 3 }) },
      };
    });
    assert.deepEqual(replays, [9, 8]);
  });

  test("is that of a regression and of binary labels", async () => {
    for (const loss of ["meanSquaredError", "binaryCrossEntropy"])
      assert.deepEqual(
        await replaysOf(() => ({
          model: modelOf(linear({ in: 5, out: 1, from: 2 }), ({ x }: Rows) => x),
          options: { batches: rows(12, 5, 2), loss },
        })),
        [9, 8],
      );
  });

  test("takes the shares of accumulated batches, and an optimizer's own learning rate", async () => {
    const own = async (capture: boolean) => {
      const model = modelOf(linear({ in: 5, out: 3, from: 2 }), ({ x }: Rows) => x);
      const optimizer = adamW(model.parameters, { learningRate: 1 });
      const batches = () =>
        [...rows(12, 5, 3)(), ...rows(7, 5, 3)()].flatMap((batch, i, all) => [batch, all.at(-1 - i)!]);
      await train({
        ...{ model, optimizer, batches, accumulate: 2, epochs: 6, progress: false, capture },
        onStep: () => {
          optimizer.learningRate *= 0.9;
        },
      });
      const { gradients, update } = stepFunctions(model, optimizer);
      const values = parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]);
      return {
        values,
        losses: historyOf(model)!.steps.map(({ loss }) => loss),
        states: [gradients.state, update.state],
      };
    };
    const [plain, captured] = [await own(false), await own(true)];
    assert.deepEqual([captured.values, captured.losses], [plain.values, plain.losses]);
    assert.ok(
      captured.states.every(({ replays }) => replays >= 20),
      JSON.stringify(captured.states),
    );
  });

  test("is not that of a model with code of its own, nor of an optimizer whose step is many ops", async () => {
    const layer = linear({ in: 5, out: 3, from: 2 });
    let temperature = 1;
    const model = {
      parameters: layer.parameters,
      apply: (p: typeof layer.parameters, { x }: Rows) => mul(layer.apply(p, x as never), temperature),
    };
    const optimizer = adafactor(model.parameters);
    const onStep = () => {
      temperature *= 0.9;
    };
    await train({ model: model as never, optimizer, batches: rows(12, 5, 3), steps: 12, onStep, progress: false });
    const { gradients, update } = stepFunctions(model, optimizer);
    assert.deepEqual([gradients.state.replays, update.state.replays], [0, 0]);
    assert.equal(update.state.replayFault, "a step of Adafactor is not one kernel");
  });

  test("ends where something looks at the ops, other kernels are chosen, or other variables are trainable", async () => {
    const model = transformerClassifier({ ...sizes, vocabularySize, classes: 10 });
    const optimizer = adamW(model.parameters);
    const batches = fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 2 });
    const { gradients } = stepFunctions(model, optimizer);
    const replays = async (steps: number, onStep = (_: { step: number }) => {}) => {
      const before = gradients.state.replays;
      await train({ model, optimizer, batches, steps, onStep, progress: false });
      return gradients.state.replays - before;
    };
    assert.equal(await replays(6), 3);
    assert.equal(await replays(2), 2);
    let inside: number | undefined;
    await probe(async () => {
      inside = await replays(2);
    });
    assert.equal(inside, 0);
    const isFused = setKernels("separate");
    assert.equal(isFused, false);
    try {
      assert.equal(await replays(2), 0);
    } finally {
      setKernels("fused");
    }
    assert.equal(await replays(1), 1);
    const freeze = ({ step }: { step: number }) => {
      model.parameters.norm.scale.trainable = step !== 1;
    };
    assert.equal(await replays(4, freeze), 3);
    model.parameters.classifier = { ...model.parameters.classifier, bias: model.parameters.classifier.bias };
    assert.equal(await replays(1), 1);
  });

  test("of a batch with a bad label throws what the loss says, and leaves everything as it was", async () => {
    const model = transformerClassifier({ ...sizes, vocabularySize, classes: 10 });
    const optimizer = adamW(model.parameters);
    const batches: Batch[] = [...fixedLengthBatches(examples, { batchSize: 16, maxLength: 24 })];
    await train({ model, optimizer, batches, epochs: 2, progress: false });
    const { gradients } = stepFunctions(model, optimizer);
    const bits = () => [
      parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]),
      optimizer.stateDict(),
    ];
    const before = bits();
    const bad = { ...batches[0]!, labels: batches[0]!.labels!.map((label, i) => (i === 3 ? 10 : label)) };
    await assert.rejects(
      train({ model, optimizer, batches: [bad as Batch], epochs: 1, progress: false }),
      /^RangeError: crossEntropy: label 10 is not one of the 10 classes/,
    );
    assert.deepEqual(bits(), before);
    const { replays } = gradients.state;
    const ids = { ...batches[0]!, ids: batches[0]!.ids.map((id, i) => (i === 0 ? 999 : id)) };
    await assert.rejects(
      train({ model, optimizer, batches: [ids as Batch], epochs: 1, progress: false }),
      /embedding: .*999|embedding: id 999/,
    );
    assert.deepEqual(bits(), before);
    assert.equal(gradients.state.replays, replays);
    await train({ model, optimizer, batches, epochs: 1, progress: false });
  });

  test("gives dynamic lengths a function each, which batches of their length find", async () => {
    const replays = await replaysOf(() => ({
      model: transformerClassifier({ ...sizes, vocabularySize, classes: 10 }),
      options: {
        batches: dynamicLengthBatches(examples, { batchSize: 16, padToMultipleOf: 8, seed: 2 }),
        steps: 60,
      },
    }));
    assert.ok(replays[0]! >= 40, `${replays}`);
  });
});
