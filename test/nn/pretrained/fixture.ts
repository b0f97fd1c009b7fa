// The checkpoints of bench/reference/pretrained.py, and how to compare a model with what transformers computed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type Batch, fixedPad } from "../../../src/batching/index.ts";
import { type HeadPlan, modelWeights } from "../../../src/nn/pretrained/architecture.ts";
import { architectures } from "../../../src/nn/pretrained/architectures.ts";
import { readConfig } from "../../../src/nn/pretrained/config.ts";
import { weightList } from "../../../src/nn/pretrained/weight.ts";
import { tf } from "../../../src/runtime/index.ts";
import { decodeSafetensors } from "../../../src/tensor/files/safetensors.ts";
import type { ReferenceArray } from "../reference.ts";

/** What transformers computed with a checkpoint; shapes are `[rows, time, ...]`. */
export interface Fixture {
  folder: string;
  class: string;
  ids: number[][];
  mask: number[][];
  tokenTypes?: number[][];
  labels: number[] | number[][];
  loss: number;
  prompts?: number[][];
  greedy?: number[][];
  beams?: number[][];
  /** `hiddenStates.<i>`, `pooled`, `logits`, and `gradients.<tensor of the checkpoint>`. */
  tensors: ReadonlyMap<string, ReferenceArray>;
}

export const fixtureFolder = (name: string): string =>
  fileURLToPath(new URL(`../../../../test/nn/pretrained/fixtures/${name}`, import.meta.url));

export function fixture(name: string): Fixture {
  const folder = fixtureFolder(name);
  const reference = JSON.parse(readFileSync(path.join(folder, "reference.json"), "utf8")) as Omit<Fixture, "tensors">;
  return { ...reference, folder, tensors: referenceArrays(path.join(folder, "reference.safetensors")) };
}

/** The arrays of a safetensors file. */
export function referenceArrays(file: string): Map<string, ReferenceArray> {
  const { arrays } = decodeSafetensors(readFileSync(file), file);
  return new Map([...arrays].map(([key, { shape, values }]) => [key, { shape, values: [...values] as number[] }]));
}

/** The inputs of a fixture as a batch. */
export function batchOf({ ids, mask, tokenTypes }: Fixture): Batch {
  const kept = (rows: number[][]) => rows.map((row, i) => row.filter((_, t) => mask[i]![t]));
  const types = tokenTypes && kept(tokenTypes);
  const sequences = kept(ids).map((tokens, i) => ({ tokens, typeIds: types?.[i] }));
  return fixedPad(sequences, { maxLength: ids[0]!.length });
}

/** Compares values of tokens, `[rows, time, ...]`; padding has no meaning. */
export function assertTokensClose(
  actual: Tensor,
  expected: ReferenceArray | undefined,
  { mask }: Fixture,
  tolerance: number,
  what: string,
): void {
  assert.ok(expected, `the reference has ${what}`);
  assert.deepEqual(actual.shape, expected.shape, `shape of ${what}`);
  const width = expected.shape.at(-1)!;
  const isToken = mask.flat();
  assertNear(
    [...actual.dataSync()].filter((_, i) => isToken[Math.floor(i / width)]),
    expected.values.filter((_, i) => isToken[Math.floor(i / width)]),
    tolerance,
    what,
  );
}

/** Fails with the largest difference, measured against the largest of 1 and the expected values. */
export function assertNear(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `size of ${what}`);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  assert.ok(worst <= tolerance * scale, `${what} differs by ${worst} at a size of ${scale}`);
}

/** Fails unless each gradient is that of transformers, to a tolerance measured against the largest of the parameter. */
export function assertGradients(
  { folder, tensors }: Fixture,
  head: HeadPlan | undefined,
  gradients: ReadonlyMap<string, Tensor>,
  tolerance: number,
): void {
  const config = readConfig(folder);
  const backbone = architectures[String(config.values.model_type)]!(config);
  const left = new Set([...tensors.keys()].filter((name) => name.startsWith("gradients.")));
  for (const { path: at, weight } of weightList(modelWeights(backbone, head))) {
    const found = weight.tensors.flatMap(({ name }) => {
      const own = [name, name.slice(backbone.prefix.length)]
        .map((each) => `gradients.${each}`)
        .find((each) => left.delete(each));
      return own ? [own] : [];
    });
    if (found.length === 0) continue;
    assert.equal(found.length, weight.tensors.length, `the reference has all gradients of ${at}`);
    const actual = gradients.get(at);
    assert.ok(actual, `${at} has a gradient`);
    const [own, expected] = tf.tidy(() => {
      const parts = found.map((name) => {
        const { shape, values } = tensors.get(name)!;
        const part = tf.tensor(values, shape);
        return weight.isTransposed ? tf.transpose(part) : part;
      });
      return [[...actual.dataSync()], [...(parts.length > 1 ? tf.concat(parts, -1) : parts[0]!).dataSync()]];
    });
    const scale = Math.max(...expected.map(Math.abs));
    const scaled = (values: number[]) => values.map((value) => value / scale);
    assertNear(scaled(own), scaled(expected), tolerance, `the gradient of ${at}`);
  }
  assert.deepEqual([...left], [], "every gradient of the reference is compared");
}
