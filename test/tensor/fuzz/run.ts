// Runs a program through the library's public functions.
import * as halftone from "../../../src/index.ts";
import { invariants } from "./invariants.ts";
import { type Argument, isStored, numberOf, type Program, type StoredTensor, tensorsIn } from "./program.ts";

type Tensor = halftone.AnyTensor;

/** What a program gave: its results and gradients as numbers, or the error that it threw. */
export type Outcome =
  | { results: Result[]; gradients: Result[] | undefined; error?: undefined }
  | { error: Error; during: "value" | "gradient" };

export interface Result {
  kind: "f" | "i" | "b";
  shape: number[];
  values: ArrayLike<number>;
  /** Of a tensor of floats. */
  storage?: halftone.Storage;
}

const kinds: Record<string, Result["kind"]> = { float32: "f", int32: "i", bool: "b" };
const { tf } = halftone;
const ops = { ...halftone, ...invariants } as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Every fourth gradient is computed again in the backward pass. */
export function runProgram(program: Program, position: number): Outcome {
  return tf.tidy(() => outcomeOf(program, position % 4 === 0) as never) as unknown as Outcome;
}

function outcomeOf(program: Program, recomputed: boolean): Outcome {
  const given = tensorsIn(program.args).map((stored) => stored.t);
  let during: "value" | "gradient" = "value";
  try {
    const inputs = tensorsIn(program.args).map((stored) => made(stored, program));
    const results = asList(call(program, inputs)).map(read);
    if (!program.g || !results.some((result) => result.kind === "f")) return { results, gradients: undefined };
    during = "gradient";
    const loss = (...floats: Tensor[]) => {
      const queue = [...floats];
      const mixed = inputs.map((x, i) => (given[i] === "f" ? queue.shift()! : x));
      return dotted(asList(call(program, mixed)) as Tensor[]);
    };
    const f = recomputed ? halftone.checkpoint(loss as never) : loss;
    const floats = inputs.filter((_, i) => given[i] === "f");
    const { gradients } = halftone.valueAndGrad((xs: Tensor[]) => (f as typeof loss)(...xs))(floats);
    return { results, gradients: (gradients as Tensor[]).map(read) };
  } catch (error) {
    return { error: error as Error, during };
  }
}

/** The result of a program's op with other tensors in place of those among its arguments. */
export const call = ({ op, args }: Program, tensors: Tensor[]): unknown => {
  const queue = [...tensors];
  return ops[op]!(...args.map((arg) => decoded(arg, queue)));
};

function decoded(value: Argument, queue: Tensor[]): unknown {
  if (isStored(value)) return queue.shift();
  if (Array.isArray(value)) return value.map((item) => decoded(item, queue));
  if (typeof value !== "object" || value === null) return value;
  if ("u" in value) return undefined;
  // A number of an option named n is itself.
  if ("n" in value && typeof value.n === "string") return numberOf(value.n as never);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decoded(item, queue)]));
}

/** A tensor of a program. */
export function made({ t, s, v }: StoredTensor, { st = "float32" }: Program): Tensor {
  const values = v.map(numberOf);
  if (t === "i") return halftone.tensor(Int32Array.from(values), { shape: s }) as Tensor;
  if (t === "b") return halftone.tensor(values, { shape: s, dtype: "bool" }) as Tensor;
  if (st === "float64") return halftone.float64(values, s) as Tensor;
  return halftone.to(halftone.tensor(Float32Array.from(values), { shape: s }) as Tensor, st);
}

/** The results of an op: one tensor, several, a pair under names, a number or numbers. */
export function asList(value: unknown): unknown[] {
  if (value instanceof tf.Tensor || ArrayBuffer.isView(value) || typeof value === "number") return [value];
  if (Array.isArray(value)) return value.every((item) => item instanceof tf.Tensor) ? value : [value];
  return Object.values(value as object);
}

function read(value: unknown): Result {
  if (value instanceof tf.Tensor) {
    const kind = kinds[value.dtype]!;
    const shape = [...value.shape];
    if (kind === "f") return { kind, shape, values: halftone.readFloat64(value), storage: halftone.storageOf(value) };
    return { kind, shape, values: value.dataSync().slice() };
  }
  if (typeof value === "number") return { kind: "f", shape: [], values: [value] };
  if (ArrayBuffer.isView(value))
    return { kind: "f", shape: [], values: [...(value as unknown as ArrayLike<number> & Iterable<number>)] };
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  return { kind: "f", shape, values: (value as unknown[]).flat(10) as number[] };
}

/** The float results times fixed numbers, summed: the same numbers as in bench/reference/fuzz/answers.py. */
function dotted(results: Tensor[]): Tensor {
  let total: Tensor | undefined;
  for (const [j, y] of results.entries()) {
    if (y.dtype !== "float32") continue;
    const weights = Float32Array.from({ length: y.size }, (_, i) => (((7 * i + 3 * j) % 8) - 3.5) / 4);
    const term = halftone.sum(halftone.mul(y, halftone.tensor(weights, { shape: y.shape }) as never)) as Tensor;
    total = total ? (halftone.add(total, term as never) as Tensor) : term;
  }
  return total!;
}
