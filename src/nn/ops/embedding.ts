import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { differentiable } from "../differentiable.ts";
import { isNative, scalar } from "../native.ts";
import { gather, unsortedSegmentSum } from "./primitives.ts";

/**
 * Rows of `table: [vocabulary, features]` by `ids: [n]`, as `[n, features]`.
 * An id outside the table is an error of the native op, which names the id.
 */
export function embedding(table: Tensor2D, ids: Tensor1D): Tensor2D {
  if (!isNative()) return tf.gather(table, ids);
  const [size] = table.shape;
  return differentiable(
    [table],
    (save) => {
      save(ids);
      return gather(table, ids, scalar(0, "int32"));
    },
    (dy, [saved]) => [unsortedSegmentSum(dy, saved!, scalar(size, "int32"))],
  ) as Tensor2D;
}
