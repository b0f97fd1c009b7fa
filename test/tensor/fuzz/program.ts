// Programs of one tensor op each, with the answers of PyTorch and NumPy: what bench/reference/fuzz writes.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Storage } from "../../../src/index.ts";

/** A number, or what JSON has no number for. */
export type Written = number | "nan" | "inf" | "-inf" | "-0";

/** A tensor: its kind of element (float, int32, bool), shape and elements in order. */
export interface StoredTensor {
  t: "f" | "i" | "b";
  s: number[];
  v: Written[];
}

/**
 * A result that is right. `c`, for every element or each: the exponent of a power of two to which an answer's last place
 * belongs; without it the answer must be equal.
 */
export interface Answer extends StoredTensor {
  c?: number | number[];
}

/** An argument: a tensor, a number that JSON lacks, what is undefined, a list or an object of arguments, or JSON. */
export type Argument =
  | StoredTensor
  | { n: Written }
  | { u: 1 }
  | { [key: string]: Argument }
  | Argument[]
  | number
  | string
  | boolean
  | null;

export interface Program {
  op: string;
  args: Argument[];
  /** What float tensors are stored as; float32 when absent. */
  st?: Storage;
  /** One for each result; null where any will do (the order of equal elements). */
  out?: (Answer | null)[];
  /** The gradients of the float tensors. */
  g?: Pick<Answer, "v" | "c">[];
  /** The result is float32 whatever the storage. */
  asIs?: 1;
  /** The result is numbers and no tensor. */
  plain?: 1;
  /** The call must throw. */
  refused?: 1;
  /** File and line, as errors name it. */
  place: string;
}

/** The programs of some files, in order. */
export const readPrograms = (files: readonly string[]): Program[] =>
  files.flatMap((file) =>
    gunzipSync(readFileSync(file))
      .toString()
      .split("\n")
      .map((line, i): Program => ({ ...JSON.parse(line), place: `${basename(file)}:${i + 1}` })),
  );

export const numberOf = (value: Written): number =>
  typeof value === "number"
    ? value
    : value === "nan"
      ? Number.NaN
      : value === "-0"
        ? -0
        : value === "inf"
          ? Number.POSITIVE_INFINITY
          : Number.NEGATIVE_INFINITY;

export const isStored = (value: Argument): value is StoredTensor =>
  typeof value === "object" && value !== null && "t" in value && "v" in value;

/** The tensors among the arguments, in order. */
export function tensorsIn(value: Argument): StoredTensor[] {
  if (isStored(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(tensorsIn);
  return [];
}
