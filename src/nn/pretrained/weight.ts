// What an architecture says of its parameters: their shape here, and the tensors of a checkpoint that they are made of.
import { isPlain } from "../../base/plain-object.ts";
import type { CheckpointLayout } from "../checkpoint-layout.ts";
import type { Parameter } from "../initialisers.ts";

/** A parameter, and where a checkpoint has it. */
export interface Weight<S extends number[] = number[]> extends CheckpointLayout {
  /** Its shape in this library. */
  readonly shape: S;
  /** What a new one has: normal numbers of the config's deviation, or zeros or ones. */
  readonly initial: "normal" | "zeros" | "ones";
}

/** A parameter of a table or a linear map. */
export type Matrix = Weight<[number, number]>;
/** A bias, or a parameter of a norm. */
export type Vector = Weight<[number]>;

/** The parameters of a tree of weights. */
export type ParametersOfWeights<T> =
  T extends Weight<infer S> ? Parameter<S> : { -readonly [K in keyof T]: ParametersOfWeights<T[K]> };

/** An embedding table `[rows, features]`, the same in both. */
export const table = (name: string, rows: number, features: number): Matrix => ({
  shape: [rows, features],
  tensors: [{ name, shape: [rows, features] }],
  isTransposed: false,
  initial: "normal",
});

/** A linear map of PyTorch's `nn.Linear`, `[out, in]` there, or of GPT-2's `Conv1D`, `[in, out]`. */
export interface LinearWeight {
  in: number;
  out: number;
  /** True by default. */
  bias?: boolean;
  /** True by default. */
  isTransposed?: boolean;
}

/** The weights of a linear map. */
export interface LinearWeights {
  weight: Matrix;
  bias?: Vector;
}

/** A linear map `name.weight` and `name.bias`. */
export const linearWeights = (name: string, sizes: LinearWeight): LinearWeights => sideBySide([name], sizes);

/** Linear maps of one input that this library computes as one: queries, keys and values. `out` is that of each, or all of them. */
export function sideBySide(
  names: readonly string[],
  { in: from, out, bias = true, isTransposed = true }: Omit<LinearWeight, "out"> & { out: number | readonly number[] },
): LinearWeights {
  const outs = typeof out === "number" ? names.map(() => out) : out;
  const all = outs.reduce((sum, each) => sum + each, 0);
  const tensors = (leaf: string, shape: (own: number) => number[]) =>
    names.map((name, i) => ({ name: `${name}.${leaf}`, shape: shape(outs[i]!) }));
  const matrix: Matrix = {
    shape: [from, all],
    tensors: tensors("weight", (own) => (isTransposed ? [own, from] : [from, own])),
    isTransposed,
    initial: "normal",
  };
  if (!bias) return { weight: matrix };
  return { weight: matrix, bias: { ...vector("", all, "zeros"), tensors: tensors("bias", (own) => [own]) } };
}

/** A vector `[size]`. */
export const vector = (name: string, size: number, initial: "zeros" | "ones"): Vector => ({
  shape: [size],
  tensors: [{ name, shape: [size] }],
  isTransposed: false,
  initial,
});

/** The weights of a norm. */
export interface NormWeights {
  scale: Vector;
  offset?: Vector;
}

/** A layer norm `name.weight` and, unless `bias` is false, `name.bias`; an rmsNorm has no bias. */
export const normWeights = (name: string, features: number, bias = true): NormWeights => ({
  scale: vector(`${name}.weight`, features, "ones"),
  ...(bias && { offset: vector(`${name}.bias`, features, "zeros") }),
});

/** The name of a tensor in a checkpoint of a model without a head, which lacks the prefix. */
export const bareName = (name: string, prefix: string): string =>
  name.startsWith(prefix) ? name.slice(prefix.length) : name;

const isWeight = (value: unknown): value is Weight => isPlain(value) && "tensors" in value && "isTransposed" in value;

/** The weights of a tree with their paths, `layers.0.projection.weight`. */
export function weightList(tree: unknown, path = ""): { path: string; weight: Weight }[] {
  if (isWeight(tree)) return [{ path, weight: tree }];
  if (typeof tree !== "object" || tree === null) return [];
  return Object.entries(tree).flatMap(([key, child]) => weightList(child, path ? `${path}.${key}` : key));
}

/** A tree of the same structure with `f` of each weight; what it gives no value for is left out, as are objects that become empty. */
export function mapWeights(tree: unknown, f: (weight: Weight) => unknown): unknown {
  if (isWeight(tree)) return f(tree);
  if (Array.isArray(tree)) return tree.map((child) => mapWeights(child, f));
  const entries = Object.entries(tree as object)
    .map(([key, child]) => [key, mapWeights(child, f)] as const)
    .filter(([, child]) => child !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
