import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { autocast, GradScaler, type GradScalerState } from "../../src/amp/index.ts";
import { fixedPad } from "../../src/batching/index.ts";
import { labelTensor, type TransformerConfig, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf } from "../../src/storage/index.ts";
import { crossEntropy, parameterList } from "../../src/tensor/index.ts";
import { adamW, valueAndGradients } from "../../src/train/index.ts";

type Run = "float32" | "bfloat16" | "float16";

// Written by bench/reference/amp.py with PyTorch's autocast and GradScaler on the CPU.
const expected = JSON.parse(
  readFileSync(new URL("../../../test/amp/fixtures/transformer.json", import.meta.url), "utf8"),
) as {
  config: TransformerConfig;
  learningRate: number;
  sequences: number[][];
  labels: number[];
  parameters: Record<string, { shape: number[]; values: number[] }>;
  runs: Record<Run, { losses: number[]; scale: number }>;
  scales: { overflow: boolean; state: GradScalerState; parameter: number[] }[];
};

await ready();

function train(run: Run): { losses: number[]; scale: number } {
  const model = transformerClassifier(expected.config);
  for (const { name, variable } of parameterList(model.parameters)) {
    const { shape, values } = expected.parameters[name]!;
    variable.assign(tf.tensor(values, shape));
  }
  const batch = fixedPad(expected.sequences, { maxLength: 12 });
  batch.labels = Float32Array.from(expected.labels);
  const optimizer = adamW(model.parameters, { learningRate: expected.learningRate });
  const scaler = new GradScaler({ enabled: run === "float16" });
  const forward = (): Scalar => crossEntropy(model.apply(model.parameters, batch), labelTensor(batch));
  const losses = expected.runs[run].losses.map(() => {
    const scale = scaler.getScale();
    const { value, gradients } = valueAndGradients(
      () => scaler.scale(run === "float32" ? forward() : autocast(run, forward)),
      optimizer.variables,
    );
    for (const gradient of gradients) assert.equal(storageOf(gradient), "float32");
    scaler.step(optimizer, gradients);
    scaler.update();
    return value.dataSync()[0]! / scale;
  });
  for (const variable of optimizer.variables) assert.equal(storageOf(variable), "float32");
  return { losses, scale: scaler.getScale() };
}

describe("a Transformer fits one batch as in PyTorch", () => {
  // How far the loss may be off, in units of the largest: float32 differs in the order of sums; a half type's runs differ
  // by their own rounding, PyTorch's from float32's as much as ours from PyTorch's.
  const tolerances: Record<Run, number> = { float32: 1e-4, float16: 4e-3, bfloat16: 3e-2 };

  for (const run of ["float32", "float16", "bfloat16"] as const) {
    test(`${run}: the loss curves agree step by step`, () => {
      const { losses, scale } = train(run);
      const reference = expected.runs[run].losses;
      const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - reference[i]!)));
      assert.ok(worst <= tolerances[run], `the losses are up to ${worst} apart, at the end ${losses.at(-1)}`);
      assert.ok(reference.at(-1)! < reference[0]! / 2, "the reference itself learns");
      assert.equal(scale, expected.runs[run].scale);
    });
  }
});

test("the loss scale changes as PyTorch's at every overflow", () => {
  const parameter = tf.variable(tf.ones([2]));
  const sgd = {
    step(gradients: ReturnType<typeof tf.tensor>[]) {
      parameter.assign(parameter.sub(gradients[0]!.mul(0.1)));
    },
  };
  const scaler = new GradScaler({ initScale: 1024, growthInterval: 3 });
  for (const { overflow, state, parameter: after } of expected.scales) {
    const factor = overflow ? Number.POSITIVE_INFINITY : 0.5;
    const { gradients } = valueAndGradients(
      () => scaler.scale(tf.sum(tf.mul(parameter, factor)) as Scalar),
      [parameter],
    );
    scaler.step(sgd, gradients);
    scaler.update();
    assert.deepEqual(scaler.stateDict(), state);
    parameter.dataSync().forEach((value, i) => {
      assert.ok(Math.abs(value - after[i]!) < 1e-6);
    });
  }
});
