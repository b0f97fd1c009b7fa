import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { valuesOfAll } from "../../runtime/levels.ts";
import { gatherAt } from "../../tensor/gather.ts";

/**
 * The rows of `table: [vocabulary, features]` at `ids: [n]`, int32, as `[n, features]`.
 *
 * @throws RangeError for an id outside the table; on a GPU TensorFlow does not check it
 */
export function embedding(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const [size] = table.shape;
  try {
    return gatherAt("embedding", table, ids, 0) as Tensor2D;
  } catch (error) {
    const outside = valuesOfAll(ids).find((id) => id < 0 || id >= size);
    if (outside === undefined) throw error;
    throw new RangeError(`embedding: id ${outside} is not in [0, ${size}), the rows of the table`, { cause: error });
  }
}
