// What is said of a tensor without reading all of it at once.
import { localEntry, runtimeInfo } from "../../runtime/index.ts";
import { run, scoped } from "../engine.ts";
import { noGrad } from "../tape.ts";
import type { AnyTensor } from "../types/tensor.ts";

export interface Summary {
  /** Of the finite elements. */
  low: number;
  high: number;
  mean: number;
  std: number;
  nan: number;
  infinite: number;
  /** How many of the elements were looked at. */
  seen: number;
}

const chunk = 1 << 20;
/** Past this many chunks, this many are looked at, evenly spread. */
const chunks = 64;

/** A part of the flat tensor. */
export function part(x: AnyTensor, begin: number, size: number): ArrayLike<number> {
  return noGrad(() => {
    const piece = scoped("show", () =>
      run("Slice", { x: run("Reshape", { x }, { shape: [x.size] }) }, { begin: [begin], size: [size] }),
    );
    const values = piece.dataSync().slice();
    piece.dispose();
    return values;
  });
}

/** Calls `f` with the elements, or with evenly spread parts of them when there are very many; gives how many. */
function each(x: AnyTensor, f: (values: ArrayLike<number>) => void): number {
  const count = Math.ceil(x.size / chunk);
  const stride = Math.max(1, Math.floor(count / chunks));
  let seen = 0;
  for (let i = 0; i < count; i += stride) {
    const values = part(x, i * chunk, Math.min(chunk, x.size - i * chunk));
    f(values);
    seen += values.length;
  }
  return seen;
}

export function summarize(x: AnyTensor): Summary {
  let [low, high, nan, infinite, finite, mean, squares] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    0,
    0,
    0,
    0,
  ];
  const seen = each(x, (values) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) nan++;
      else if (!Number.isFinite(value)) infinite++;
      else {
        finite++;
        if (value < low) low = value;
        if (value > high) high = value;
        // Welford 1962.
        const off = value - mean;
        mean += off / finite;
        squares += off * (value - mean);
      }
    }
  });
  if (finite === 0) [low, high, mean] = [Number.NaN, Number.NaN, Number.NaN];
  return { low, high, mean, std: Math.sqrt(squares / finite), nan, infinite, seen };
}

/** How many finite elements lie in each of equal parts of [low, high]. */
export function histogram(x: AnyTensor, { low, high }: Summary, bins: number): number[] {
  const counts = Array<number>(bins).fill(0);
  const scale = bins / (high - low || 1);
  each(x, (values) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isFinite(value)) counts[Math.min(bins - 1, Math.floor((value - low) * scale))]!++;
    }
  });
  return counts;
}

/** The storage type of the elements where it differs from the dtype: half precision has the dtype float32 in tfjs. */
const storageNames: Record<number, string> = {
  1: "float32",
  2: "float64",
  3: "int32",
  9: "int64",
  10: "bool",
  14: "bfloat16",
  19: "float16",
};

export function storageOf(x: AnyTensor): string {
  return storageNames[localEntry(x)?.dtype ?? 0] ?? x.dtype;
}

export const deviceOf = (x: AnyTensor): string => {
  const { backend, device } = runtimeInfo();
  // TensorFlow keeps whole numbers in host memory.
  if (backend === "wasm") return "wasm";
  return x.dtype === "int32" ? "cpu" : device;
};
