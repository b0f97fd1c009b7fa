import { readFileSync } from "node:fs";
import { type AnyTensor, type ParametersOf, parameters } from "../../src/tensor/index.ts";
import { type ReferenceArray, tensorOf } from "../nn/reference.ts";

/** Arrays of the tree `initial` below, by path. */
export type ByPath = Record<string, ReferenceArray>;

/** What bench/reference/optimizers.py wrote from PyTorch. */
export interface OptimizersReference {
  start: ByPath;
  gradients: ByPath[];
  optimizers: Record<string, { parameters: ByPath; norms?: number[] }>;
  averages: { weight: ReferenceArray; mean: ReferenceArray }[];
  clipping: Record<"norm" | "largeNorm" | "value", { norm: number | null; gradients: ReferenceArray[] }>;
  schedules: Record<string, number[]>;
}

export const expected = JSON.parse(
  readFileSync(new URL("../../../test/train/fixtures/optimizers.json", import.meta.url), "utf8"),
) as OptimizersReference;

const tree = (values: ByPath) => {
  const x = (path: string) => tensorOf(values[path]!) as AnyTensor;
  return {
    encoder: { weight: x("encoder.weight"), bias: x("encoder.bias") },
    kernel: x("kernel"),
    head: { weight: x("head.weight"), bias: x("head.bias") },
  };
};

/** New parameters with the reference's first values. */
export const startParameters = (): ParametersOf<ReturnType<typeof tree>> => parameters(tree(expected.start));

/** The gradients of each step in the parameters' structure, in new tensors. */
export const gradientTrees = () => expected.gradients.map(tree);
