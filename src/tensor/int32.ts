// Numbers as int32, of which none may wrap around.
import { readFloat64 } from "../amp/index.ts";
import { reduceOver, run } from "./engine.ts";
import { noGrad } from "./tape.ts";
import type { AnyTensor } from "./types/tensor.ts";

const [lowest, highest] = [-(2 ** 31), 2 ** 31 - 1];

const fits = (value: number): boolean => Math.trunc(value) >= lowest && Math.trunc(value) <= highest;

/** The number without its fraction; throws RangeError for one that int32 does not hold. */
export function int32Of(op: string, value: number, place = ""): number {
  if (fits(value)) return Math.trunc(value);
  throw new RangeError(
    `${op}: int32 holds whole numbers from ${lowest} to ${highest}, got ${value}${place}; use float32 for it`,
  );
}

/** The same for each number of an array, which lies in this shape. */
export function int32Values(op: string, values: ArrayLike<number>, shape: readonly number[]): Int32Array {
  return Int32Array.from(values, (value, i) => (fits(value) ? value : int32Of(op, value, placeText(i, shape))));
}

/** Throws RangeError when a tensor has an element that int32 does not hold. */
export function checkInt32(op: string, x: AnyTensor): void {
  if (x.size === 0) return;
  const largest = noGrad(() => {
    const sizes = run("Abs", { x });
    const top = reduceOver("Max", sizes, [...x.shape.keys()]);
    sizes.dispose();
    return top;
  });
  const [value] = largest.dataSync();
  largest.dispose();
  // The lowest int32 is beyond the highest by its size alone.
  if (!(value! <= highest)) int32Values(op, readFloat64(x), x.shape);
}

/** A bound for int32 elements, at most as far as they reach. */
export const int32Bound = (value: number): number => Math.min(Math.max(value, lowest), highest);

function placeText(place: number, shape: readonly number[]): string {
  if (shape.length === 0) return "";
  const at = shape.map(() => 0);
  for (let axis = shape.length - 1, rest = place; axis >= 0; axis--) {
    at[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return ` at [${at.join(", ")}]`;
}
