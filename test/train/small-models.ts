// Small models of one's own, and their training by PyTorch (bench/reference/training.py).
import { readFileSync } from "node:fs";
import {
  adamW,
  add,
  type Batch,
  bucketByLength,
  dynamicLengthBatches,
  embedding,
  fixedLengthBatches,
  matmul,
  type Optimizer,
  type ParametersOf,
  packedBatches,
  parameters,
  sgd,
  type Tensor,
  tanh,
  tensor,
  tokenBudgetBatches,
  uniformLengthBatches,
} from "../../src/index.ts";
import { type ReferenceArray, tensorOf } from "../nn/reference.ts";

interface Run {
  losses: number[];
  accuracies: (number | null)[];
  parameters: Record<string, ReferenceArray>;
}

interface Reference {
  x: ReferenceArray;
  labels: number[];
  targets: number[];
  sequences: number[][];
  tags: number[][];
  mlp: Record<"first" | "bias" | "second", ReferenceArray>;
  oneOutput: Record<"first" | "bias" | "second", ReferenceArray>;
  tagger: Record<"table" | "head", ReferenceArray>;
  language: Record<"table" | "head", ReferenceArray>;
  runs: Record<string, Record<OptimizerName, Run>>;
}

export type OptimizerName = "sgd" | "adamW";

export const expected = JSON.parse(
  readFileSync(new URL("../../../test/train/fixtures/training.json", import.meta.url), "utf8"),
) as Reference;

export const optimizers: Record<OptimizerName, (p: Variables) => Optimizer> = {
  sgd: (p) => sgd(p, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }),
  adamW: (p) => adamW(p, { learningRate: 0.05, weightDecay: 0.1 }),
};

type Variables = ParametersOf<Record<string, Tensor>>;

/** The rows `[examples, 4]` of the reference's data with these indices, as a batch of one's own. */
export const rowsOf = (indices: readonly number[]) => ({
  x: tensor(
    indices.map((i) => expected.x.values.slice(4 * i, 4 * i + 4)),
    { shape: [indices.length, 4] },
  ),
  labels: indices.map((i) => expected.labels[i]!),
  targets: indices.map((i) => expected.targets[i]!),
});

export type RowBatch = ReturnType<typeof rowsOf>;

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Batches of unequal size: 5, 5 and 2 rows. */
export const rowBatches = () => [range(0, 5), range(5, 10), range(10, 12)].map(rowsOf);

/** A perceptron of one hidden layer. */
export function perceptron(start: Reference["mlp"] = expected.mlp) {
  const own = parameters({
    first: tensorOf(start.first) as Tensor<[4, 8]>,
    bias: tensorOf(start.bias) as Tensor<[8]>,
    second: tensorOf(start.second) as Tensor<[8, number]>,
  });
  const apply = (p: typeof own, { x }: RowBatch) => matmul(tanh(add(matmul(x, p.first), p.bias)), p.second);
  return { parameters: own, apply };
}

/** The examples of the reference with a label for each token. */
export const taggedSequences = () =>
  expected.sequences.map((tokens, i) => ({ tokens, tokenLabels: expected.tags[i]! }));

/** The logits `[rows, time, ...]` of each token by itself. */
export function tagger(start: Reference["tagger"] = expected.tagger) {
  const own = parameters({
    table: tensorOf(start.table) as Tensor<[11, 6]>,
    head: tensorOf(start.head) as Tensor<[6, number]>,
  });
  const apply = (p: typeof own, { ids, rows, time }: Pick<Batch, "ids" | "rows" | "time">) =>
    matmul(tanh(embedding(p.table, tensor(ids, { dtype: "int32", shape: [rows, time] }))), p.head);
  return { parameters: own, apply };
}

export type Tagger = ReturnType<typeof tagger>;

/** Batches of the tagged sequences by every strategy. */
export function strategies() {
  const sequences = taggedSequences();
  return [
    dynamicLengthBatches(sequences, { batchSize: 2, seed: 1 }),
    dynamicLengthBatches(sequences, { batchSize: 3, side: "left" }),
    fixedLengthBatches(sequences, { batchSize: 3, maxLength: 9 }),
    uniformLengthBatches(sequences, { batchSize: 2, seed: 1 }),
    bucketByLength(sequences, { batchSize: 2, shapes: 2 }),
    tokenBudgetBatches(sequences, { maxTokens: 14 }),
    packedBatches(sequences, { batchSize: 2, maxLength: 10 }),
  ];
}
