// What is noted of a run for its replay: which of its JavaScript must run again, where its inputs come from, and what it changes.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { localEntry, nativeBackend } from "../backend.ts";
import type { Commit, Part, PartArgument, Place, Replay, ReplayArguments, ResultTree, TensorLike } from "./replay.ts";
import type { TensorType, Trace } from "./trace.ts";
import { takenApart } from "./tree.ts";

/** A number or another value that the step's caller gives under a name. */
export class Given<T> {
  readonly name: string;
  readonly value: T;

  constructor(name: string, value: T) {
    this.name = name;
    this.value = value;
  }
}

/** Arguments of a part of a step. */
export type PartArguments<A extends unknown[]> = { [K in keyof A]: A[K] | Given<A[K]> };

export const plainArguments = <A extends unknown[]>(args: PartArguments<A>): A =>
  args.map((arg) => (arg instanceof Given ? arg.value : arg)) as A;

const variables = new WeakMap<object, Variable>();

/** A variable was made or assigned. */
export function noteVariable(variable: Variable): void {
  variables.set(variable.dataId, variable);
}

/** The variable that has this data now. */
function variableOf(dataId: object): Variable | undefined {
  const variable = variables.get(dataId);
  return variable?.dataId === dataId ? variable : undefined;
}

const isTensorLike = (value: unknown): value is TensorLike =>
  typeof value === "object" && value !== null && "dataId" in value;

export class ReplayNotes {
  readonly #args: ReplayArguments;
  readonly #inputs: ReturnType<typeof takenApart>;
  readonly #inputTypes: readonly TensorType[];
  readonly #parts: Part[] = [];
  readonly #commits: { apply: (results: never) => void; results: ReturnType<typeof takenApart> }[] = [];
  readonly #assigned = new Set<Variable>();
  /** The part of each list of numbers. */
  readonly #numbers = new WeakMap<object, number>();
  readonly #places = new Map<object, Place>();
  /** The objects that the step is given. */
  readonly #objects = new Map<unknown, PartArgument>();
  readonly #uploads: (Place | undefined)[] = [];
  readonly #externals: (Place | undefined)[] = [];
  /** Variables by the data that they had before the step assigned another value. */
  readonly #before = new Map<object, Variable>();
  #isCommitting = false;
  #obstacle: string | undefined;

  constructor(args: ReplayArguments) {
    this.#args = args;
    this.#inputs = takenApart(args.inputs);
    this.#inputTypes = this.#inputs.tensors.map(typeOf);
    this.#inputs.tensors.forEach((tensor, input) => {
      if (this.#places.has(tensor.dataId)) this.prevent("two of its inputs are the same tensor");
      this.#places.set(tensor.dataId, { input });
    });
    for (const [given, value] of Object.entries(args.given ?? {}))
      if (typeof value === "object" && value !== null) this.#objects.set(value, { given });
  }

  /** Why the step's JavaScript must run each time. */
  prevent(reason: string): void {
    this.#obstacle ??= reason;
  }

  notePart(make: (...args: never[]) => unknown, args: readonly unknown[], result: unknown): void {
    const part = this.#parts.length;
    const { tensors, structure } = takenApart(result);
    this.#parts.push({ make, args: args.map((arg) => this.#argument(arg)), structure, types: tensors.map(typeOf) });
    tensors.forEach(({ dataId }, at) => {
      if (this.#places.has(dataId)) this.prevent("two parts of it give the same tensor");
      this.#places.set(dataId, { part, at });
    });
  }

  noteNumbers(make: (...args: never[]) => unknown, args: readonly unknown[], numbers: readonly number[]): void {
    this.#numbers.set(numbers, this.#parts.length);
    this.#parts.push({ make, args: args.map((arg) => this.#argument(arg)), types: [] });
  }

  /** A tensor was made of a list of numbers. */
  noteTensorOf(numbers: readonly number[], { dataId, shape, dtype }: TensorLike): void {
    const part = this.#numbers.get(numbers);
    if (part !== undefined)
      this.#places.set(dataId, { numbers: part, shape, dtype: dtype === "int32" ? "int32" : "float32" });
  }

  noteState(state: () => readonly TensorLike[]): void {
    state().forEach(({ dataId }, at) => {
      this.#places.set(dataId, { state, at });
    });
  }

  /** Runs `apply`, whose assignments are a part of it. */
  commit<T>(results: T, apply: (results: T) => void): void {
    this.#commits.push({ apply, results: takenApart(results) });
    this.#isCommitting = true;
    try {
      apply(results);
    } finally {
      this.#isCommitting = false;
    }
  }

  noteAssignment(variable: Variable): void {
    if (!this.#before.has(variable.dataId)) this.#before.set(variable.dataId, variable);
    if (!this.#isCommitting) this.#assigned.add(variable);
  }

  noteUpload(k: number, dataId: object): void {
    this.#uploads[k] ??= this.#places.get(dataId) ?? this.#variablePlace(dataId);
  }

  noteExternal(e: number, dataId: object | undefined): void {
    if (this.#externals[e] || !dataId) return;
    this.#externals[e] = this.#places.get(dataId) ??
      this.#variablePlace(dataId) ?? { fixed: { dataId, shape: [], dtype: "" } };
  }

  #variablePlace(dataId: object): Place | undefined {
    const variable = this.#before.get(dataId) ?? variableOf(dataId);
    return variable && { variable, isTrainable: variable.trainable };
  }

  /** The replay of the run, once it has ended with a result; or why there is none. */
  replay(trace: Trace, result: unknown, madeOf: (id: number) => number | undefined): Replay | { refused: string } {
    if (this.#obstacle) return { refused: this.#obstacle };
    const unknown = trace.externals.findIndex((_, e) => !this.#externals[e]);
    if (unknown >= 0) return { refused: "it uses a tensor of unknown origin" };
    const made = (tensor: TensorLike): number | undefined => {
      const entry = localEntry(tensor as never);
      return entry && madeOf(entry.id);
    };
    const tree = ({ tensors, structure }: ReturnType<typeof takenApart>): ResultTree | undefined => {
      const numbers = tensors.map(made);
      return numbers.includes(undefined) ? undefined : { structure, made: numbers as number[] };
    };
    const own = tree(takenApart(result));
    if (!own) return { refused: "it returns a tensor that it did not compute" };
    const commits: Commit[] = [];
    for (const { apply, results } of this.#commits) {
      const committed = tree(results);
      if (!committed) return { refused: "it keeps a tensor that it did not compute" };
      commits.push({ ...committed, apply });
    }
    const assigned: Replay["assigned"][number][] = [];
    for (const variable of this.#assigned) {
      const value = made(variable);
      if (value === undefined) return { refused: "it assigns a tensor that it did not compute to a variable" };
      assigned.push({ variable, made: value });
    }
    const known = new Set([...own.made, ...commits.flatMap((commit) => commit.made), ...assigned.map((a) => a.made)]);
    if (!trace.alive.every((index) => known.has(index)))
      return { refused: "it keeps a tensor that is not a part of its result" };
    return {
      key: this.#args.key,
      inputs: { structure: this.#inputs.structure, types: this.#inputTypes },
      parts: this.#parts,
      uploads: trace.uploads.map(({ values }, k) => this.#uploads[k] ?? { values: values.slice() }),
      externals: this.#externals as Place[],
      result: own,
      commits,
      assigned,
    };
  }

  #argument(arg: unknown): PartArgument {
    if (arg instanceof Given)
      return Object.is(this.#args.given?.[arg.name], arg.value) && Object.hasOwn(this.#args.given ?? {}, arg.name)
        ? { given: arg.name }
        : { value: arg.value };
    if (isTensorLike(arg)) {
      const place = this.#places.get(arg.dataId);
      if (!place || "values" in place) this.prevent("a part of it reads a tensor that is not an input");
      return { tensor: place ?? { values: new Uint8Array(0) } };
    }
    return this.#objects.get(arg) ?? { value: arg };
  }
}

function typeOf({ dataId }: TensorLike): TensorType {
  const { shape, dtype } = nativeBackend().tensorMap.data.get(dataId)!;
  return { shape: [...shape], dtype };
}
