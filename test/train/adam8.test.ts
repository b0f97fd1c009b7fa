import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { dynamicPad } from "../../src/batching/index.ts";
import { transformerLanguageModel } from "../../src/nn/index.ts";
import { ready, setKernels, tf } from "../../src/runtime/index.ts";
import { adam, adamW, predictMemory, train } from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const { backend } = await ready();

/** Of bench/reference/adam8.py. */
interface Reference {
  rate: number;
  betas: [number, number];
  epsilon: number;
  weightDecay: number;
  steps: number;
  every: number;
  parameters: Record<
    string,
    { shape: number[]; values: number[]; scales: Partial<Record<"first" | "second", number[]>> }
  >;
}
const file = fileURLToPath(new URL("../../../test/train/fixtures/adam8.json", import.meta.url));
const expected = JSON.parse(readFileSync(file, "utf8")) as Reference;
const { rate: learningRate, betas, epsilon, weightDecay, steps, every } = expected;

const filled = (shape: number[], f: (i: number) => number): Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i)),
    shape,
  );
const variables = () =>
  Object.fromEntries(
    Object.entries(expected.parameters).map(([name, { shape }]) => [
      name,
      tf.variable(filled(shape, (i) => Math.cos(0.1 * i))),
    ]),
  );
const gradients = (own: Record<string, Variable>, step: number) =>
  Object.values(own).map(({ shape }) => filled(shape, (i) => Math.sin(0.37 * i + step) * 10 ** -(i % 5)));

function trainedOnce() {
  const own = variables();
  const optimizer = adamW(own, { learningRate, betas, epsilon, weightDecay, stateBits: 8 });
  for (let step = 1; step <= steps; step++) optimizer.step(gradients(own, step));
  return { own, optimizer };
}

describe("Adam with 8-bit state", () => {
  for (const kernels of backend === "tensorflow" ? (["fused", "separate"] as const) : (["separate"] as const))
    test(`takes the steps of block-wise dynamic quantization, with ${kernels} kernels`, () => {
      setKernels(kernels);
      try {
        const { own, optimizer } = trainedOnce();
        for (const [name, { values }] of Object.entries(expected.parameters)) {
          const actual = [...own[name]!.dataSync()].filter((_, i) => i % every === 0);
          const far = actual.filter(
            (value, i) => Math.abs(value - values[i]!) > 1e-6 * Math.max(1, Math.abs(values[i]!)),
          );
          // A quotient in the middle between two codes may be rounded to the other one.
          assert.ok(far.length <= values.length / 200, `${far.length} of ${values.length} in ${name}`);
        }
        const { values } = optimizer.stateDict().groups[0]!;
        for (const moment of ["first", "second"] as const) {
          const scales = Object.values(expected.parameters).flatMap((each) => each.scales[moment] ?? []);
          assert.equal(values[`${moment}Scales`]!.length, scales.length);
          for (const [i, scale] of scales.entries())
            assert.ok(Math.abs(values[`${moment}Scales`]![i]! / scale - 1) < 1e-4, `${moment} ${i}`);
        }
      } finally {
        setKernels("fused");
      }
    });

  test("holds a quarter of the state, and float32 moments of small parameters", () => {
    const own = { large: tf.variable(tf.zeros([256, 256])), small: tf.variable(tf.zeros([100])) };
    // Two codes an element, two scales for each block of 256, and two float32 moments of 100 elements.
    assert.equal(adamW(own, { stateBits: 8 }).bytes, 2 * 256 ** 2 + 2 * 4 * 256 + 2 * 4 * 100);
    assert.equal(adamW(own).bytes, 2 * 4 * (256 ** 2 + 100));
    assert.throws(() => adam(own, { stateBits: 16 as 8 }), { message: "stateBits must be 8 or 32, got 16" });
  });

  test("continues from a saved state with the same bits", () => {
    const { own, optimizer } = trainedOnce();
    const state = optimizer.stateDict();
    const copy = Object.fromEntries(Object.entries(own).map(([name, each]) => [name, tf.variable(each)]));
    const other = adamW(copy, { learningRate, betas, epsilon, weightDecay, stateBits: 8 });
    other.loadStateDict(state);
    for (const [each, at] of [
      [optimizer, own],
      [other, copy],
    ] as const)
      each.step(gradients(at, steps + 1));
    for (const name of Object.keys(own)) assert.deepEqual(copy[name]!.dataSync(), own[name]!.dataSync());
  });

  test("trains as float32 state does, captured, with clipping, and resumed from a checkpoint", async () => {
    const folder = temporaryFolder();
    const texts = Array.from({ length: 8 }, (_, i) => Array.from({ length: 16 }, (_, t) => (i + 3 * t) % 40));
    const batches = [dynamicPad(texts)];
    const trained = async (stateBits: 8 | 32, steps: number, more: object = {}) => {
      const sizes = { vocabularySize: 40, maxLength: 16, features: 64, heads: 2, layers: 2, dropout: 0 };
      const model = transformerLanguageModel(sizes);
      const optimizer = adamW(model.parameters, { learningRate: 3e-3, clipNorm: 1, stateBits });
      const quiet = { loss: "nextToken" as const, progress: false };
      const history = await train({ model, optimizer, batches, ...quiet, steps, ...more });
      return history.steps.map(({ loss }) => loss);
    };
    const whole = await trained(8, 20);
    const wide = await trained(32, 20);
    assert.ok(wide.at(-1)! < 0.5 * wide[0]!);
    assert.ok(Math.abs(whole.at(-1)! / wide.at(-1)! - 1) < 0.1, `${whole.at(-1)} and ${wide.at(-1)}`);
    const checkpoint = { path: path.join(folder, "run.safetensors") };
    await trained(8, 10, { checkpoint });
    assert.deepEqual(await trained(8, 20, { checkpoint }), whole);
  });

  test("is known to predictMemory", { skip: backend === "tensorflow" ? false : "the step takes seconds there" }, () => {
    const sizes = { vocabularySize: 40, maxLength: 16, features: 64, heads: 2, layers: 2 };
    const model = transformerLanguageModel(sizes);
    const batch = dynamicPad([[1, 2, 3, 4]]);
    const eight = (parameters: Variable[]) => adamW(parameters, { stateBits: 8 });
    const predicted = predictMemory({ model, batch, loss: "nextToken", optimizer: eight });
    assert.equal(predicted.optimizer, adamW(model.parameters, { stateBits: 8 }).bytes);
    assert.ok(predicted.total < 0.75 * predictMemory({ model, batch, loss: "nextToken" }).total);
  });
});
