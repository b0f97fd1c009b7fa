import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { dynamicPad } from "../../src/batching/index.ts";
import { freeUnreachable } from "../../src/memory/index.ts";
import { type LanguageModelConfig, transformerLanguageModel, transformerSeq2Seq } from "../../src/nn/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import { freeze, parameterList } from "../../src/tensor/index.ts";
import { adamW, train, valueAndGradients } from "../../src/train/index.ts";
import { stepFunctions } from "../../src/train/step-functions.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "steps are captured on TensorFlow only" };

const texts = Array.from({ length: 8 }, (_, i) => Array.from({ length: 32 - 2 * i }, (_, t) => (i * 7 + t * 3) % 50));
const batch = dynamicPad(texts);
const sizes = { vocabularySize: 50, maxLength: 32, features: 32, heads: 4, layers: 5 };

interface AnyModel {
  parameters: object;
  apply(parameters: never, batch: never, options: object): unknown;
}

/** Gradients of the mean square of a model's results, by path. */
function gradientsOf(model: AnyModel, given: object, gradientCheckpointing: boolean | number) {
  const all = parameterList(model.parameters).filter(({ variable }) => variable.trainable);
  const options = { training: true, seed: 5, gradientCheckpointing };
  const loss = () => tf.mean(tf.square(model.apply(model.parameters as never, given as never, options) as Scalar));
  const { gradients } = valueAndGradients(
    loss as () => Scalar,
    all.map(({ variable }) => variable),
  );
  return Object.fromEntries(all.map(({ name }, i) => [name, gradients[i]!.dataSync()]));
}

describe("gradient checkpointing", () => {
  const models: Record<string, () => [AnyModel, object]> = {
    "a tied language model": () => [transformerLanguageModel(sizes), batch],
    "a language model as Llama's": () => [
      transformerLanguageModel({
        ...sizes,
        ...{ norm: "rmsNorm", bias: false, activation: "swiGLU", positions: "rotary", tied: false, keyValueHeads: 2 },
      }),
      batch,
    ],
    "an encoder and decoder": () => [
      transformerSeq2Seq({
        ...{ sourceVocabularySize: 50, targetVocabularySize: 50, startToken: 0, maxLength: 32 },
        ...{ features: 32, heads: 4, layers: 3, dropout: 0.2 },
      }),
      { source: batch, target: dynamicPad(texts.map((text) => [0, ...text.slice(1)])) },
    ],
  };
  for (const [name, make] of Object.entries(models))
    test(`gives the same gradients of ${name} with dropout, bit for bit`, () => {
      const [model, given] = make();
      const expected = gradientsOf(model, given, false);
      // Of several layers the gradient of what the decoder attends to is added up in another order.
      for (const every of "source" in given ? [true, 1] : [true, 1, 2, 10])
        assert.deepEqual(gradientsOf(model, given, every), expected, String(every));
    });

  test("gives the same gradients where the first layers are frozen", () => {
    const model = transformerLanguageModel({ ...sizes, tied: false });
    freeze(model.parameters, ["tokens", "positions", "layers.0", "layers.1", "layers.3.up"]);
    assert.deepEqual(gradientsOf(model, batch, true), gradientsOf(model, batch, false));
  });

  test("refuses a number of layers that is not a positive integer", () => {
    const model = transformerLanguageModel(sizes);
    assert.throws(() => gradientsOf(model, batch, 0.5), {
      name: "RangeError",
      message: "gradientCheckpointing must be a positive integer, got 0.5",
    });
  });

  /** Trains a model, and gives its losses, its peak above what was held before, and its captured calls. */
  async function trained(
    config: LanguageModelConfig,
    given: typeof batch,
    gradientCheckpointing: boolean | number,
    capture = true,
  ) {
    freeUnreachable();
    const held = nativeMemory().live;
    const model = transformerLanguageModel(config);
    const optimizer = adamW(model.parameters);
    const quiet = { batches: [given], loss: "nextToken" as const, progress: false, seed: 2 };
    const { steps } = await train({ ...quiet, model, optimizer, steps: 12, gradientCheckpointing, capture });
    const { calls } = stepFunctions(model, optimizer).gradients.state;
    optimizer.dispose();
    model.dispose();
    return { losses: steps.map(({ loss }) => loss), peak: steps[1]!.peakBytes - held, calls };
  }

  test("lowers the peak of a training by the activations of all layers but one", async () => {
    const config = { ...sizes, layers: 8 };
    const many = dynamicPad([...texts, ...texts, ...texts, ...texts]);
    const whole = await trained(config, many, false);
    const layer = await trained(config, many, true);
    const pairs = await trained(config, many, 2);
    assert.deepEqual(layer.losses, whole.losses);
    assert.deepEqual(pairs.losses, whole.losses);
    // 8 rows of `features`, and of the hidden layer its input and result, for each token and layer.
    const oneLayer = 32 * 32 * 4 * (8 * 32 + 2 * 128);
    assert.ok(whole.peak - layer.peak > 6 * oneLayer, `${whole.peak} and ${layer.peak}: ${oneLayer} a layer`);
    assert.ok(pairs.peak > layer.peak && pairs.peak < whole.peak, `${pairs.peak}`);
  });

  test("is captured with the step", native, async () => {
    const captured = await trained(sizes, batch, true);
    assert.ok(captured.calls > 0);
    assert.deepEqual(captured.losses, (await trained(sizes, batch, true, false)).losses);
  });
});
