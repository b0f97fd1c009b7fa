import type { MimeBundle } from "../../session/output.ts";
import { isArray, min } from "../primordials.ts";

interface TensorLike {
  shape: number[];
  dtype: string;
  size: number;
  isDisposed: boolean;
  toString(): string;
  flatten(): TensorLike;
  slice(begin: number[], size: number[]): TensorLike;
  arraySync(): unknown;
  dispose(): void;
}

/** Above this many elements, reading all of them to show a few is not worth it. */
const mostRead = 1_000_000;
const previewed = 8;

/** A tfjs tensor: its shape and type, then its values, of which tfjs itself leaves out all but the first and last. */
export function tensor(value: object): MimeBundle | undefined {
  if (!isTensor(value)) return undefined;
  const title = `Tensor [${value.shape.join(", ")}] ${value.dtype}`;
  if (value.isDisposed) return { "text/plain": `${title} (disposed)` };
  if (value.size > mostRead) return { "text/plain": `${title}\n${firstValues(value)}` };
  const lines = value.toString().split("\n").slice(1);
  const indent = min(...lines.map((line) => line.length - line.trimStart().length));
  return { "text/plain": [title, ...lines.map((line) => line.slice(indent))].join("\n") };
}

function firstValues(value: TensorLike): string {
  const flat = value.flatten();
  const first = flat.slice([0], [previewed]);
  try {
    return `[${(first.arraySync() as unknown[]).join(", ")}, ... ${value.size.toLocaleString("en-US")} values]`;
  } finally {
    first.dispose();
    flat.dispose();
  }
}

function isTensor(value: object): value is TensorLike {
  const { shape, dtype, dataId, arraySync } = value as Record<string, unknown>;
  return isArray(shape) && typeof dtype === "string" && dataId !== undefined && typeof arraySync === "function";
}
