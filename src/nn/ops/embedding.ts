import { valuesOfAll } from "../../runtime/levels.ts";
import { checkTensor } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { gatherAt } from "../../tensor/indices.ts";
import { checkIsInt32 } from "../../tensor/int32.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { IsUnknown, Rest, Shape } from "../../tensor/types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";

/** The shape of ids, then the width of the table. */
type RowsOf<Table, Ids> =
  IsUnknown<Ids> extends true
    ? Shape
    : Table extends [infer _, infer F]
      ? Ids extends [...infer S extends Rest<Ids>]
        ? [...S, F]
        : Shape
      : Shape;

/**
 * The rows of `table: [vocabulary, features]` at `ids: [...]`, int32, as `[..., features]`.
 *
 * @throws RangeError for an id outside the table; on a GPU TensorFlow does not check it
 * @throws ShapeError for a table that is not a matrix; TypeError for ids that are not int32
 */
export function embedding<T extends TensorOperand, I extends TensorOperand>(
  table: T,
  ids: I,
): Tensor<RowsOf<ShapeOf<T>, ShapeOf<I>>, "float32">;
export function embedding(table: AnyTensor, ids: AnyTensor): AnyTensor {
  checkTensor("embedding", table);
  checkTensor("embedding", ids);
  if (table.rank !== 2)
    throw new ShapeError(`embedding: the table must be [vocabulary, features], got ${shapeText(table)}`);
  checkIsInt32("embedding: the ids", ids);
  const [size] = table.shape as [number];
  const names = namesOf(ids);
  try {
    const rows = gatherAt("embedding", table, ids, 0);
    return names ? label(rows, [...names, undefined]) : rows;
  } catch (error) {
    const outside = valuesOfAll(ids).find((id) => id < 0 || id >= size);
    if (outside === undefined) throw error;
    throw new RangeError(`embedding: id ${outside} is not in [0, ${size}), the rows of the table`, { cause: error });
  }
}
