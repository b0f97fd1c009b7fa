import { named, type Tensor, tensor } from "../tensor/index.ts";
import { type Batch, type ExampleBatch, isRectangle } from "./batch.ts";

/** The arrays of a batch as tensors with named axes. */
export interface NamedBatch {
  ids: Tensor<["batch", "time"], "int32">;
  /** 1 where there is a token, 0 on padding. */
  mask: Tensor<["batch", "time"], "int32">;
  positions: Tensor<["batch", "time"], "int32">;
  segments: Tensor<["batch", "time"], "int32">;
  lengths: Tensor<["sequence"], "int32">;
  /** Of sequences of real numbers. */
  features?: Tensor<["batch", "time", number], "float32">;
  /** Of sequences with a label for each token; -100 on padding. */
  tokenLabels?: Tensor<["batch", "time"], "int32">;
  /** Of sequences with the number of the text that each token is of; 0 on padding. */
  typeIds?: Tensor<["batch", "time"], "int32">;
}

/** The tensors of one rectangle, with features and labels of tokens where its type has them. */
type NamedOf<B> = NamedBatch &
  (B extends { features: Float32Array } ? Required<Pick<NamedBatch, "features">> : unknown) &
  (B extends { tokenLabels: Int32Array } ? Required<Pick<NamedBatch, "tokenLabels">> : unknown) &
  (B extends { typeIds: Int32Array } ? Required<Pick<NamedBatch, "typeIds">> : unknown);

/** The rectangles of a batch with several sequences an example, as tensors. */
export type NamedBatches<B> = { [K in keyof B as B[K] extends Batch ? K : never]: NamedOf<B[K]> };

/**
 * The arrays of a batch as int32 tensors `[batch, time]`, for your own models, and features as float32 `[batch, time, width]`; of a
 * batch with several sequences an example those of each name. The caller disposes of them.
 *
 * @throws TypeError for a batch without sequences
 */
export function namedTensors<B extends ExampleBatch>(batch: B): B extends Batch ? NamedOf<B> : NamedBatches<B> {
  type Result = ReturnType<typeof namedTensors<B>>;
  if (isRectangle(batch)) return rectangleTensors(batch) as Result;
  const rectangles = Object.entries(batch).filter((entry): entry is [string, Batch] => isRectangle(entry[1]));
  if (rectangles.length === 0) throw new TypeError("namedTensors: the batch has no sequences");
  return Object.fromEntries(rectangles.map(([name, rectangle]) => [name, rectangleTensors(rectangle)])) as Result;
}

function rectangleTensors({ rows, time, features, tokenLabels, typeIds, ...batch }: Batch): NamedBatch {
  const rectangle = (values: Int32Array | Uint8Array) =>
    named(tensor(values, { dtype: "int32", shape: [rows, time] }), ["batch", "time"]) as NamedBatch["ids"];
  const tensors: NamedBatch = {
    ids: rectangle(batch.ids),
    mask: rectangle(batch.mask),
    positions: rectangle(batch.positions),
    segments: rectangle(batch.segments),
    lengths: named(tensor(batch.lengths, { dtype: "int32" }), ["sequence"]) as NamedBatch["lengths"],
  };
  if (tokenLabels) tensors.tokenLabels = rectangle(tokenLabels);
  if (typeIds) tensors.typeIds = rectangle(typeIds);
  if (features) {
    const width = features.length / (rows * time);
    tensors.features = named(tensor(features, { shape: [rows, time, width] }), ["batch", "time", width]);
  }
  return tensors;
}
