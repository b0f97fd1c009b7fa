import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { isNative, scalar } from "../../runtime/native/op.ts";
import { gather, unsortedSegmentSum } from "../../runtime/native/primitives.ts";
import { differentiable } from "../differentiable.ts";

/**
 * Rows of `table: [vocabulary, features]` by `ids: [n]`, as `[n, features]`.
 * @throws RangeError for an id outside the table, which TensorFlow finds out on a CPU only
 */
export function embedding(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const [size] = table.shape;
  try {
    return isNative() ? rowsOf(table, ids, size) : tf.gather(table, ids);
  } catch (error) {
    const outside = ids.dataSync().find((id) => id < 0 || id >= size);
    if (outside === undefined) throw error;
    throw new RangeError(`embedding: id ${outside} is not in [0, ${size}), the rows of the table`, { cause: error });
  }
}

function rowsOf(table: Tensor2D, ids: Tensor1D, size: number): Tensor2D {
  return differentiable(
    [table],
    (save) => {
      save(ids);
      return gather(table, ids, scalar(0, "int32"));
    },
    (dy, [saved]) => [unsortedSegmentSum(dy, saved!, scalar(size, "int32"))],
  ) as Tensor2D;
}
