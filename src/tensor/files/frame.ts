// danfojs frames. Their tensors and ours are of one tfjs.
import { engine } from "../../runtime/index.ts";
import type { AnyTensor, Tensor } from "../types/tensor.ts";

/** The part of a danfojs DataFrame or Series that `fromFrame` reads. */
export interface FrameLike {
  readonly values: unknown;
  readonly columns: readonly string[];
}

/**
 * The numbers of a danfojs DataFrame as `[rows, columns]`, or of a Series as `[rows]`, float32; missing values are NaN.
 *
 * @throws TypeError for a value that is neither a number nor a boolean
 */
export function fromFrame(frame: FrameLike): Tensor<[number, number] | [number], "float32">;
export function fromFrame(frame: FrameLike): AnyTensor {
  const rows = frame.values as unknown[];
  const isTable = rows.length > 0 ? Array.isArray(rows[0]) : frame.columns.length > 1;
  const width = isTable ? frame.columns.length : 1;
  const data = new Float32Array(rows.length * width);
  for (const [r, row] of rows.entries())
    for (let c = 0; c < width; c++) {
      const value = isTable ? (row as unknown[])[c] : row;
      if (value === null || value === undefined) data[r * width + c] = Number.NaN;
      else if (typeof value === "number" || typeof value === "boolean") data[r * width + c] = Number(value);
      else
        throw new TypeError(
          `fromFrame: column ${frame.columns[c]} must contain numbers, got ${JSON.stringify(value)} in row ${r}`,
        );
    }
  return engine.makeTensor(data, isTable ? [rows.length, width] : [rows.length], "float32") as AnyTensor;
}

/**
 * The rows of a tensor `[rows, columns]` as arrays for `new DataFrame(rows, { columns })`, or of a tensor `[rows]` as an array
 * for a Series.
 *
 * @throws TypeError for another number of axes
 */
export function toFrameRows(x: AnyTensor): number[] | number[][] {
  if (x.rank !== 1 && x.rank !== 2) throw new TypeError(`toFrameRows: expected one or two axes, got ${x.rank}`);
  return x.arraySync() as number[] | number[][];
}
