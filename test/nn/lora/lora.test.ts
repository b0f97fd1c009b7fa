import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import { dynamicPad } from "../../../src/batching/index.ts";
import {
  embedding,
  generate,
  linear,
  lora,
  sequential,
  transformerClassifier,
  transformerLanguageModel,
} from "../../../src/nn/index.ts";
import { ready, tf } from "../../../src/runtime/index.ts";
import {
  type AnyTensor,
  countParameters,
  matmul,
  parameterList,
  parameters,
  randn,
} from "../../../src/tensor/index.ts";
import { adamW, train, valueAndGradients } from "../../../src/train/index.ts";
import { stepFunctions } from "../../../src/train/step-functions.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "steps are captured on TensorFlow only" };

const texts = Array.from({ length: 8 }, (_, i) => Array.from({ length: 16 - i }, (_, t) => (i * 7 + t * 3) % 40));
const batch = dynamicPad(texts);
const sizes = { vocabularySize: 40, maxLength: 24, features: 16, heads: 2, layers: 2 };
const model = () => transformerLanguageModel(sizes);
const valuesOf = (x: unknown) => [...(x as Tensor).dataSync()];

describe("lora", () => {
  test("computes the same as the model at first, and draws as PEFT does", () => {
    const base = model();
    const expected = valuesOf(base.apply(base.parameters, batch));
    const adapted = lora(base, { rank: 4, from: 1 });
    assert.deepEqual(valuesOf(adapted.apply(adapted.parameters, batch)), expected);
    const pair = adapted.parameters.adapters["layers.0.projection"]!;
    assert.deepEqual(
      [pair.a.shape, pair.b.shape],
      [
        [16, 4],
        [4, 48],
      ],
    );
    // kaiming_uniform_(a=sqrt(5)): uniform within 1 / sqrt(in).
    const a = valuesOf(pair.a);
    assert.ok(Math.max(...a.map(Math.abs)) <= 0.25 && Math.max(...a.map(Math.abs)) > 0.2);
    assert.ok(valuesOf(pair.b).every((value) => value === 0));
    assert.match(inspect(adapted), /LoRA of rank 4 for 2 linear maps: 512 parameters beside/);
  });

  test("changes the weights by path, and only what it adds is trained", async () => {
    const base = model();
    const adapted = lora(base, { rank: 2, targets: ["layers.*.up", /layers\.1\.(down|attentionOutput)/] });
    assert.deepEqual(Object.keys(adapted.parameters.adapters), [
      ...["layers.0.up", "layers.1.attentionOutput", "layers.1.up", "layers.1.down"],
    ]);
    const before = parameterList(base.parameters).map(({ variable }) => valuesOf(variable));
    const optimizer = adamW(adapted.parameters, { learningRate: 0.05 });
    assert.equal(optimizer.bytes, 2 * 4 * countParameters(adapted.parameters.adapters));
    const quiet = { batches: [batch], loss: "nextToken" as const, progress: false };
    const { steps } = await train({ ...quiet, model: adapted, optimizer, steps: 30 });
    assert.ok(steps.at(-1)!.loss < steps[0]!.loss - 0.05, `${steps[0]!.loss} to ${steps.at(-1)!.loss}`);
    assert.deepEqual(
      parameterList(base.parameters).map(({ variable }) => valuesOf(variable)),
      before,
    );
    adapted.dispose();
    assert.ok(parameterList(base.parameters).every(({ variable }) => variable.trainable));
  });

  test("adds scale * x a b to a linear map, of vectors with any axes before the last", () => {
    const layer = linear({ in: 3, out: 2, from: 1 });
    const x = randn([2, 4, 3], { from: 2 });
    const by = { plain: 5 / 2, stable: 5 / Math.sqrt(2) };
    for (const rankStabilized of [false, true]) {
      const adapted = lora(layer, { rank: 2, alpha: 5, rankStabilized, targets: "weight" });
      const { a, b } = Object.values(adapted.parameters.adapters)[0]!;
      (b as unknown as { assign(x: unknown): void }).assign(randn([2, 2], { from: 3 }));
      const change = matmul(matmul(x, a as never) as never, b as never) as unknown as AnyTensor;
      const expected = tf.add(
        layer.apply(layer.parameters, x) as never,
        tf.mul(change, rankStabilized ? by.stable : by.plain),
      );
      const actual = valuesOf(adapted.apply(adapted.parameters, x as never));
      valuesOf(expected).forEach((value, i) => {
        assert.ok(Math.abs(actual[i]! - value) < 1e-6);
      });
      adapted.dispose();
    }
  });

  test("gives the same gradients with gradient checkpointing and its own dropout, bit for bit", () => {
    const adapted = lora(model(), { rank: 2, dropout: 0.5, targets: "layers" });
    const trainable = parameterList(adapted.parameters).filter(({ variable }) => variable.trainable);
    for (const { variable } of trainable) variable.assign(randn(variable.shape as [number], { from: 1 }) as never);
    const gradientsOf = (gradientCheckpointing: boolean | number, seed = 4) => {
      const options = { training: true, seed, gradientCheckpointing };
      const loss = () => tf.mean(tf.square(adapted.apply(adapted.parameters, batch, options) as never)) as Scalar;
      const { gradients } = valueAndGradients(
        loss,
        trainable.map(({ variable }) => variable),
      );
      return gradients.map(valuesOf);
    };
    assert.deepEqual(gradientsOf(true), gradientsOf(false));
    assert.deepEqual(gradientsOf(2), gradientsOf(false));
    assert.notDeepEqual(gradientsOf(false, 5), gradientsOf(false));
  });

  test("is captured with the step", native, async () => {
    const losses = async (capture: boolean) => {
      const adapted = lora(model(), { rank: 2, dropout: 0.1, from: 1 });
      const optimizer = adamW(adapted.parameters, { learningRate: 0.05 });
      const quiet = { batches: [batch], loss: "nextToken" as const, progress: false };
      const { steps } = await train({ ...quiet, model: adapted, optimizer, steps: 12, capture });
      return { losses: steps.map(({ loss }) => loss), calls: stepFunctions(adapted, optimizer).gradients.state.calls };
    };
    const captured = await losses(true);
    assert.ok(captured.calls > 0);
    assert.deepEqual(captured.losses, (await losses(false)).losses);
  });

  test("generates with the adapter, and the same when it is merged", async () => {
    const adapted = lora(model(), { rank: 2, targets: "layers" });
    for (const { variable } of parameterList(adapted.parameters.adapters))
      variable.assign(tf.mul(randn(variable.shape as [number], { from: 1 }) as never, 0.1) as never);
    const prompts = [[1, 2, 3], [7]];
    const apart = await generate(adapted, prompts, { maxNewTokens: 6 });
    adapted.merge();
    assert.deepEqual(await generate(adapted, prompts, { maxNewTokens: 6 }), apart);
  });

  test("adapts a layer of layers, and a classifier whose rectifier is fused with its linear map", () => {
    const net = sequential([linear({ in: 4, out: 8, from: 1 }), linear({ in: 8, out: 2, from: 2 })]);
    const adapted = lora(net, { targets: /./, rank: 1 });
    assert.equal(Object.keys(adapted.parameters.adapters).length, 2);
    assert.deepEqual((adapted.apply(adapted.parameters, randn([3, 4]) as never) as unknown as Tensor).shape, [3, 2]);
    const classifier = transformerClassifier({ ...sizes, classes: 3 });
    const whole = lora(classifier, { targets: "layers", rank: 2, trainable: "classifier" });
    const { gradients } = valueAndGradients(
      () => tf.sum(whole.apply(whole.parameters, batch, { training: true, seed: 1 })) as Scalar,
      parameterList(whole.parameters)
        .filter(({ variable }) => variable.trainable)
        .map(({ variable }) => variable),
    );
    // `b` is 0, so that only `a` has no gradient yet.
    assert.equal(gradients.filter((gradient) => valuesOf(gradient).some((value) => value !== 0)).length, 8 + 2);
  });

  test("leaves the model trainable when trainable names no parameter", () => {
    const base = model();
    assert.throws(() => lora(base, { trainable: "classifer" }), {
      name: "RangeError",
      message: /^lora: trainable: "classifer" matches none of the \d+ paths/,
    });
    assert.ok(parameterList(base.parameters).every(({ variable }) => variable.trainable));
  });

  test("refuses what it cannot adapt, by name", () => {
    assert.throws(() => lora(model(), { targets: "layers.*.projections" }), {
      name: "RangeError",
      message:
        /^lora: "layers\.\*\.projections" matches none of the \d+ linear maps; the nearest are layers\.\d\.projection, /,
    });
    assert.throws(() => lora(linear({ in: 2, out: 2 })), { name: "RangeError", message: /give targets/ });
    assert.throws(() => lora(model(), { targets: [] }), { name: "RangeError", message: /^lora: targets is empty/ });
    assert.throws(() => lora(model(), { rank: 0 }), { message: "lora: rank must be a positive integer, got 0" });
    const own = model();
    const { numTensors } = tf.memory();
    assert.throws(() => lora(own, { alpha: -1 }), { message: "lora: alpha must be a positive number, got -1" });
    assert.throws(() => lora(own, { alpha: "8" as never }), {
      message: "lora: alpha must be a positive number, got '8'",
    });
    assert.throws(() => lora(own, { alpha: Number.POSITIVE_INFINITY }), { name: "RangeError" });
    assert.throws(() => lora(own, { dropout: 1 }), { name: "RangeError" });
    assert.throws(() => lora(own, { trainable: "no" }), { name: "RangeError" });
    assert.equal(tf.memory().numTensors, numTensors);
    const table = embedding({ count: 4, features: 2 });
    const adapted = lora(table, { targets: "weight" });
    assert.throws(() => adapted.apply(adapted.parameters, tf.tensor1d([1], "int32") as never), {
      name: "TypeError",
      message: "lora: no linear map reads weight: leave it out of the targets",
    });
    // A weight that is no matrix is no target.
    const other = { parameters: parameters({ weight: randn([2, 2, 2]) }), apply: () => undefined };
    assert.throws(() => lora(other, { targets: "weight" }), { message: /none of the 0 linear maps/ });
  });
});
