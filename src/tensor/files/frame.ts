// danfojs frames. Their tensors and ours are of one tfjs.
import { engine } from "../../runtime/index.ts";
import type { AnyTensor, Tensor } from "../types/tensor.ts";

/** What of a danfojs DataFrame or Series is read here. */
export interface FrameLike {
  readonly values: unknown;
  readonly columns: readonly string[];
}

/**
 * The numbers of a danfojs DataFrame as [rows, columns], or of a Series as [rows]; missing values are NaN. Throws
 * TypeError for a column that holds anything but numbers and booleans.
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
          `fromFrame: column ${frame.columns[c]} holds ${JSON.stringify(value)} in row ${r}, which is no number`,
        );
    }
  return engine.makeTensor(data, isTable ? [rows.length, width] : [rows.length], "float32") as AnyTensor;
}

/** Rows of numbers for `new DataFrame(rows, { columns })` from a [rows, columns] tensor, or a list for a Series. */
export function toFrameRows(x: AnyTensor): number[] | number[][] {
  if (x.rank !== 1 && x.rank !== 2) throw new TypeError(`toFrameRows: a frame has one or two axes, got ${x.rank}`);
  return x.arraySync() as number[] | number[][];
}
