import { named, type Tensor, tensor } from "../tensor/index.ts";
import type { Batch } from "./batch.ts";

/** The arrays of a batch as tensors with named axes. */
export interface NamedBatch {
  ids: Tensor<["batch", "time"], "int32">;
  /** 1 where there is a token, 0 on padding. */
  mask: Tensor<["batch", "time"], "int32">;
  positions: Tensor<["batch", "time"], "int32">;
  segments: Tensor<["batch", "time"], "int32">;
  lengths: Tensor<["sequence"], "int32">;
}

/** The arrays of a batch as int32 tensors `[batch, time]`, for your own models; the caller disposes of them. */
export function namedTensors(batch: Batch): NamedBatch {
  const { rows, time } = batch;
  const rectangle = (values: Int32Array | Uint8Array) =>
    named(tensor(values, { dtype: "int32", shape: [rows, time] }), ["batch", "time"]) as NamedBatch["ids"];
  return {
    ids: rectangle(batch.ids),
    mask: rectangle(batch.mask),
    positions: rectangle(batch.positions),
    segments: rectangle(batch.segments),
    lengths: named(tensor(batch.lengths, { dtype: "int32" }), ["sequence"]) as NamedBatch["lengths"],
  };
}
