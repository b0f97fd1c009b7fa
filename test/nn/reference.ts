import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../src/runtime/index.ts";

/** An array as bench/reference/transformer.py writes it. */
export interface ReferenceArray {
  shape: number[];
  values: number[];
}

export function reference<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test/nn/fixtures/${name}.json`, import.meta.url), "utf8")) as T;
}

export function tensorOf({ shape, values }: ReferenceArray): Tensor {
  return tf.tensor(values, shape);
}

/** The values of a tensor, to compare others with. */
export const referenceOf = (x: Tensor): ReferenceArray => ({ shape: x.shape, values: [...x.dataSync()] });

/** Fails with the place and the size of the largest difference, measured against the larger of 1 and the value. */
export function assertClose(actual: Tensor, expected: ReferenceArray, tolerance: number, what: string): void {
  assert.deepEqual(actual.shape, expected.shape, `shape of ${what}`);
  const values = actual.dataSync();
  let worst = { at: 0, difference: 0 };
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs(values[i]! - expected.values[i]!) / Math.max(1, Math.abs(expected.values[i]!));
    if (!(difference <= worst.difference)) worst = { at: i, difference };
  }
  const { at, difference } = worst;
  assert.ok(difference <= tolerance, `${what}[${at}]: ${values[at]} is not ${expected.values[at]} (${difference})`);
}
