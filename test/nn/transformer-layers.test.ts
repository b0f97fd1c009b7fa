import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { type Batch, dynamicPad } from "../../src/batching/index.ts";
import {
  type LanguageModelConfig,
  multiHeadAttention,
  type Seq2SeqConfig,
  transformerDecoderLayer,
  transformerEncoderLayer,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { leaves, parameterList } from "../../src/tensor/index.ts";
import { adamW, train, valueAndGradients } from "../../src/train/index.ts";
import { assertClose, type ReferenceArray, reference, tensorOf } from "./reference.ts";

type Arrays = Record<string, ReferenceArray>;

interface LayerCase {
  name: string;
  options: object;
  parameters: Arrays;
  inputs: Arrays;
  keyPadding?: number[][];
  memoryKeyPadding?: number[][];
  positions?: number[][];
  output: ReferenceArray;
  outputGradient: ReferenceArray;
  inputGradients: Arrays;
  gradients: Arrays;
}

interface ModelCase {
  name: string;
  config: object;
  parameters: Arrays;
  data: { texts?: number[][]; sources?: number[][]; targets?: number[][] };
  losses: number[];
}

/** A layer whose types are those of any layer. */
interface AnyLayer {
  parameters: object;
  apply(parameters: object, input: object): Tensor;
}

const found = reference<Record<"attention" | "encoder" | "decoder", LayerCase[]> & { models: ModelCase[] }>(
  "transformer-layers",
);

await ready();
const chosen = tf.getBackend();

/** Assigns the reference's parameters, which must be exactly those of the model. */
function assign(parameters: object, expected: Arrays): Variable[] {
  const own = parameterList(parameters);
  assert.deepEqual(own.map(({ name }) => name).sort(), Object.keys(expected).sort());
  for (const { name, variable } of own) variable.assign(tensorOf(expected[name]!));
  return own.map(({ variable }) => variable);
}

function checkLayer(layer: AnyLayer, expected: LayerCase): void {
  const variables = assign(layer.parameters, expected.parameters);
  const names = Object.keys(expected.inputs);
  const inputs = names.map((name) => tf.variable(tensorOf(expected.inputs[name]!)));
  const whole = (rows: number[][] | undefined) => rows && tf.tensor2d(rows, undefined, "int32");
  const given = {
    ...Object.fromEntries(names.map((name, i) => [name, inputs[i]])),
    keyPadding: whole(expected.keyPadding),
    memoryKeyPadding: whole(expected.memoryKeyPadding),
    positions: whole(expected.positions),
  };
  assertClose(layer.apply(layer.parameters, given), expected.output, 1e-6, "output");
  const weights = tensorOf(expected.outputGradient);
  const loss = () => tf.sum(tf.mul(layer.apply(layer.parameters, given), weights)) as Scalar;
  const { gradients } = valueAndGradients(loss, [...inputs, ...variables] as Variable[]);
  for (const [i, name] of names.entries()) assertClose(gradients[i]!, expected.inputGradients[name]!, 1e-5, name);
  for (const [i, { path }] of leaves(layer.parameters).entries())
    assertClose(gradients[names.length + i]!, expected.gradients[path]!, 1e-5, `gradient of ${path}`);
}

const makers: Record<"attention" | "encoder" | "decoder", (options: never) => unknown> = {
  attention: multiHeadAttention,
  encoder: transformerEncoderLayer,
  decoder: transformerDecoderLayer,
};

for (const backend of new Set([chosen, "cpu"]))
  describe(`on ${backend} value and gradients equal PyTorch's:`, () => {
    before(() => tf.setBackend(backend));
    after(() => tf.setBackend(chosen));
    for (const kind of ["attention", "encoder", "decoder"] as const)
      for (const expected of found[kind])
        test(expected.name, () => checkLayer(makers[kind](expected.options as never) as AnyLayer, expected));
  });

describe("ten steps of AdamW have PyTorch's losses:", () => {
  const optimizerOptions = { learningRate: 0.01, betas: [0.9, 0.99] as const, weightDecay: 0.1 };
  for (const { name, config, parameters, data, losses } of found.models)
    test(name, async () => {
      const { texts, sources, targets } = data;
      const check = (history: { steps: { loss: number }[] }) => {
        history.steps.forEach(({ loss }, step) => {
          assert.ok(Math.abs(loss - losses[step]!) < 5e-6, `step ${step}: loss ${loss}, PyTorch ${losses[step]}`);
        });
      };
      const settings = { steps: 10, loss: "nextToken" as const, progress: false };
      if (texts) {
        const model = transformerLanguageModel(config as LanguageModelConfig);
        assign(model.parameters, parameters);
        const optimizer = adamW(model.parameters, optimizerOptions);
        check(await train({ model, batches: [dynamicPad(texts)], optimizer, ...settings }));
        return;
      }
      const model = transformerSeq2Seq({ tied: true, ...(config as Seq2SeqConfig) });
      assign(model.parameters, parameters);
      const optimizer = adamW(model.parameters, optimizerOptions);
      const [source, target] = [sources!, targets!].map((each) => dynamicPad(each)) as [Batch, Batch];
      const batch = { source, target, indices: source.indices };
      check(await train({ model, batches: [batch], optimizer, ...settings }));
    });
});
