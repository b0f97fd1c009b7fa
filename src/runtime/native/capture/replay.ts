// A step that is called again without its JavaScript: what its function takes, where that comes from, and what its results are for.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { sameList, sameType, sameValues, type TensorType, type Values } from "./trace.ts";
import { type Structure, sameStructure } from "./tree.ts";

/** Data of tfjs, as a tensor has it. */
export interface TensorLike {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}

/** What a run of a step tells for its replay. */
export interface ReplayArguments {
  /** Calls with different keys are different steps. */
  readonly key: readonly unknown[];
  /** A tree whose tensors are inputs of the step. Its other values must be those of the call that was captured. */
  readonly inputs?: unknown;
  /** What parts of the step take, by name: a batch, a rate. */
  readonly given?: Readonly<Record<string, unknown>>;
}

/** What a part of the step is called with. */
export type PartArgument = { readonly given: string } | { readonly tensor: Place } | { readonly value: unknown };

/** JavaScript of a step that also runs in a replay. */
export interface Part {
  readonly make: (...args: never[]) => unknown;
  readonly args: readonly PartArgument[];
  /** Of its result; absent where that is a list of numbers. */
  readonly structure?: Structure;
  readonly types: readonly TensorType[];
}

/** Where a tensor that the function takes is found. */
export type Place =
  | { readonly part: number; readonly at: number }
  /** A list of numbers, uploaded in a shape. */
  | { readonly numbers: number; readonly shape: readonly number[]; readonly dtype: "float32" | "int32" }
  | { readonly input: number }
  | { readonly state: () => readonly TensorLike[]; readonly at: number }
  | { readonly variable: Variable; readonly isTrainable: boolean }
  /** Always the same one. */
  | { readonly fixed: TensorLike }
  /** Always the same values. */
  | { readonly values: Values };

/** A tree of results. */
export interface ResultTree {
  readonly structure: Structure;
  /** By tensor, the number of the op's result. */
  readonly made: readonly number[];
}

/** What is done with results. */
export interface Commit extends ResultTree {
  readonly apply: (results: never) => void;
}

export interface Replay {
  readonly key: readonly unknown[];
  readonly inputs: { readonly structure: Structure; readonly types: readonly TensorType[] };
  readonly parts: readonly Part[];
  /** By upload and by external of the trace. */
  readonly uploads: readonly Place[];
  readonly externals: readonly Place[];
  readonly result: ResultTree;
  readonly commits: readonly Commit[];
  readonly assigned: readonly { readonly variable: Variable; readonly made: number }[];
}

const anything: Place = { values: new Uint8Array(0) };

const isNumberList = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((element) => typeof element === "number");

/** Lists of numbers and texts among the arguments follow from shapes. */
const shapelessArgument = (arg: PartArgument): PartArgument =>
  "value" in arg && (isNumberList(arg.value) || typeof arg.value === "string") ? { value: undefined } : arg;

/**
 * A replay without shapes, and without what decides shapes: the values of `structural` uploads, and `pinned` externals. Its key and what
 * its inputs and parts have besides tensors are compared in each replay, and are left out too.
 */
export function shapeless(replay: Replay, structural: readonly boolean[], pinned: readonly boolean[]): Replay {
  const shapelessType = ({ dtype }: TensorType): TensorType => ({ shape: [], dtype });
  return {
    ...replay,
    key: [],
    inputs: { structure: { kind: "list", items: [] }, types: replay.inputs.types.map(shapelessType) },
    parts: replay.parts.map((part) => ({
      make: part.make,
      args: part.args.map(shapelessArgument),
      types: part.types.map(shapelessType),
    })),
    uploads: replay.uploads.map((place, k) => {
      if ("numbers" in place) return { ...place, shape: [] };
      return structural[k] && "values" in place ? anything : place;
    }),
    externals: replay.externals.map((place, e) => (pinned[e] && "fixed" in place ? anything : place)),
  };
}

export const sameKey = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** Whether two runs have the same settings, and the same inputs besides tensors. */
export const sameCall = (a: Replay, b: Replay): boolean =>
  sameKey(a.key, b.key) && sameStructure(a.inputs.structure, b.inputs.structure);

/** Whether two runs were given the same but for the values of tensors, so that shapes must be the same. */
export const sameGiven = (a: Replay, b: Replay): boolean =>
  sameCall(a, b) &&
  sameTypes(a.inputs.types, b.inputs.types) &&
  a.parts.length === b.parts.length &&
  a.parts.every(({ structure, types }, i) => {
    const other = b.parts[i]!;
    const isSame =
      structure && other.structure ? sameStructure(structure, other.structure) : structure === other.structure;
    return isSame && sameTypes(types, other.types);
  }) &&
  a.uploads.every((place, k) => {
    const other = b.uploads[k]!;
    return !("numbers" in place && "numbers" in other) || sameList(place.shape, other.shape);
  });

export const sameTypes = (a: readonly TensorType[], b: readonly TensorType[]): boolean =>
  a.length === b.length && a.every((type, i) => sameType(type, b[i]!));

export function samePlace(a: Place, b: Place): boolean {
  if ("values" in a) return "values" in b && sameValues(a.values, b.values);
  if ("fixed" in a) return "fixed" in b && a.fixed.dataId === b.fixed.dataId;
  if ("variable" in a) return "variable" in b && a.variable === b.variable && a.isTrainable === b.isTrainable;
  if ("state" in a) return "state" in b && a.state === b.state && a.at === b.at;
  if ("input" in a) return "input" in b && a.input === b.input;
  if ("numbers" in a)
    return "numbers" in b && a.numbers === b.numbers && sameList(a.shape, b.shape) && a.dtype === b.dtype;
  return "part" in b && a.part === b.part && a.at === b.at;
}

export function sameArgument(a: PartArgument, b: PartArgument): boolean {
  if ("given" in a) return "given" in b && a.given === b.given;
  if ("tensor" in a) return "tensor" in b && samePlace(a.tensor, b.tensor);
  return "value" in b && sameArgumentValue(a.value, b.value);
}

export const sameArgumentValue = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (isNumberList(a) && isNumberList(b) && sameList(a, b));

const samePart = (a: Part, b: Part): boolean =>
  a.args.length === b.args.length &&
  a.args.every((arg, i) => sameArgument(arg, b.args[i]!)) &&
  sameTypes(a.types, b.types) &&
  (a.structure && b.structure ? sameStructure(a.structure, b.structure) : a.structure === b.structure);

const sameTree = (a: ResultTree, b: ResultTree): boolean =>
  sameStructure(a.structure, b.structure) && sameList(a.made, b.made);

const typeText = ({ shape }: TensorType): string => `[${shape.join(", ")}]`;

/** Why two runs of a step do not have the same replay; undefined when they have. */
export function difference(
  a: Replay,
  b: Replay,
  trace: { readonly uploads: readonly TensorType[]; readonly externals: readonly TensorType[] },
): string | undefined {
  const differed = "differed between the runs that were recorded";
  if (!sameKey(a.key, b.key)) return `the settings ${differed}`;
  if (!sameStructure(a.inputs.structure, b.inputs.structure))
    return `values among the inputs that are not tensors ${differed}`;
  const upload = a.uploads.findIndex((place, k) => !samePlace(place, b.uploads[k]!));
  if (upload >= 0) return `it uploads values ${typeText(trace.uploads[upload]!)} that are no inputs and ${differed}`;
  const external = a.externals.findIndex((place, e) => !samePlace(place, b.externals[e]!));
  if (external >= 0)
    return `it uses a tensor ${typeText(trace.externals[external]!)} from before that is not an input, and that ${differed}`;
  if (a.parts.length !== b.parts.length || !a.parts.every((part, i) => samePart(part, b.parts[i]!)))
    return `what its inputs are computed from ${differed}`;
  if (!sameTree(a.result, b.result)) return `values in its result that are not tensors ${differed}`;
  const isSame =
    a.commits.length === b.commits.length &&
    a.commits.every((commit, i) => sameTree(commit, b.commits[i]!)) &&
    a.assigned.length === b.assigned.length &&
    a.assigned.every(({ variable, made }, i) => variable === b.assigned[i]!.variable && made === b.assigned[i]!.made);
  return isSame ? undefined : `the variables that it assigns ${differed}`;
}
