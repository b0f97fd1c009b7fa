// Calls a captured step without its JavaScript.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { uninterrupted } from "../../interrupts.ts";
import { tf } from "../../load.ts";
import { localEntry, nativeBackend } from "../backend.ts";
import { plainBinding } from "./active.ts";
import { callFunction } from "./call-function.ts";
import type { CapturedStep } from "./captured-step.ts";
import {
  type Part,
  type PartArgument,
  type Place,
  type Replay,
  type ReplayArguments,
  type ResultTree,
  sameArgumentValue,
  sameKey,
  sameTypes,
  type TensorLike,
} from "./replay.ts";
import { sameType, sameValues, type TensorType } from "./trace.ts";
import { putTogether, sameStructure, takenApart } from "./tree.ts";

/** What a part gave in this call. */
interface Ran {
  readonly make: Part["make"];
  readonly args: readonly unknown[];
  readonly result: unknown;
  readonly taken: ReturnType<typeof takenApart> | undefined;
}

/** A call of a step, which several captured steps may be tried for. */
export class ReplayCall {
  readonly #args: ReplayArguments;
  readonly #inputs: ReturnType<typeof takenApart>;
  /** Of the step tried last. */
  #ran: Ran[] = [];
  /** The states that generators had before. */
  readonly #drawn = new Map<Drawing, readonly number[]>();

  constructor(args: ReplayArguments) {
    this.#args = args;
    this.#inputs = takenApart(args.inputs);
  }

  /**
   * The result of a captured step for these arguments; undefined where they are not those of the step. Throws what TensorFlow throws,
   * and then nothing has changed.
   */
  run(step: CapturedStep): { result: unknown } | undefined {
    const { fn, trace, constant, replay } = step;
    if (!replay || "refused" in replay || !this.#fits(replay)) return undefined;
    const parts = this.#parts(replay);
    if (!parts) return undefined;
    const find = (place: Place, type: TensorType): TensorLike | undefined => {
      const tensor = this.#find(place, parts, type);
      const entry = tensor && localEntry(tensor as Tensor);
      return entry && sameType(entry, type) ? tensor : undefined;
    };
    const given: TensorLike[] = [];
    for (const [k, place] of replay.uploads.entries()) {
      const isArgument = fn.uploads.includes(k);
      if (!isArgument && (!constant[k] || "values" in place)) continue;
      const upload = trace.uploads[k]!;
      const tensor = find(place, upload);
      if (!tensor) return undefined;
      if (isArgument) given[fn.uploads.indexOf(k)] = tensor;
      else if (!sameValues(tf.engine().readSync(tensor.dataId as never) as never, upload.values)) return undefined;
    }
    for (const [i, e] of fn.externals.entries()) {
      const tensor = find(replay.externals[e]!, trace.externals[e]!);
      if (!tensor) return undefined;
      given[fn.uploads.length + i] = tensor;
    }
    const ids = nativeBackend().getInputTensorIds(given as Tensor[]);
    return uninterrupted(() => {
      // The commits below replace what the update is given.
      const results = callFunction(plainBinding(), step, ids, (i) => given[i]);
      const tensors = new Map<number, Tensor>();
      const tensorOf = (index: number): Tensor => {
        const before = tensors.get(index);
        if (before) return tf.clone(before);
        const tensor = nativeBackend().createOutputTensor(results.get(index)!);
        results.delete(index);
        tensors.set(index, tensor);
        return tensor;
      };
      const tree = ({ structure, made: indices }: ResultTree) => {
        const next = indices.values();
        return putTogether(structure, () => tensorOf(next.next().value!));
      };
      for (const { variable, made: index } of replay.assigned) variable.assign(tensorOf(index) as never);
      for (const commit of replay.commits) commit.apply(tree(commit) as never);
      const result = tree(replay.result);
      for (const { id } of results.values()) plainBinding().deleteTensor(id);
      return { result };
    });
  }

  /** Gives generators back the states that they had before the call. */
  restore(): void {
    for (const [generator, state] of [...this.#drawn].reverse()) generator.setState(state);
    this.#drawn.clear();
  }

  #fits(replay: Replay): boolean {
    return (
      sameKey(replay.key, this.#args.key) &&
      sameStructure(replay.inputs.structure, this.#inputs.structure) &&
      sameTypes(replay.inputs.types, this.#inputs.tensors.map(typeOf))
    );
  }

  /** What the parts give; undefined where that does not fit. */
  #parts({ parts }: Replay): Ran[] | undefined {
    const all: Ran[] = [];
    const before = this.#ran;
    this.#ran = all;
    for (const [i, part] of parts.entries()) {
      const args = part.args.map((arg) => this.#argument(arg, all));
      for (const arg of args) if (isDrawing(arg) && !this.#drawn.has(arg)) this.#drawn.set(arg, arg.getState());
      const ran = isSame(before[i], part, args) ? before[i]! : ranPart(part, args);
      all.push(ran);
      if (part.structure) {
        if (!sameStructure(part.structure, ran.taken!.structure)) return undefined;
        if (!sameTypes(part.types, ran.taken!.tensors.map(typeOf))) return undefined;
      }
    }
    return all;
  }

  #argument(arg: PartArgument, parts: readonly Ran[]): unknown {
    if ("value" in arg) return arg.value;
    if ("tensor" in arg) return this.#find(arg.tensor, parts);
    return this.#args.given?.[arg.given];
  }

  #find(place: Place, parts: readonly Ran[], type?: TensorType): TensorLike | undefined {
    if ("part" in place) return parts[place.part]!.taken!.tensors[place.at];
    if ("numbers" in place)
      return tf.tensor([...(parts[place.numbers]!.result as number[])], [...place.shape], place.dtype);
    if ("input" in place) return this.#inputs.tensors[place.input];
    if ("state" in place) return place.state()[place.at];
    if ("variable" in place) return place.variable.trainable === place.isTrainable ? place.variable : undefined;
    if ("fixed" in place) return nativeBackend().tensorMap.data.has(place.fixed.dataId) ? place.fixed : undefined;
    return type && nativeTensor(place.values, type);
  }
}

/** A generator of random numbers. */
interface Drawing {
  getState(): readonly number[];
  setState(state: readonly number[]): void;
}

const isDrawing = (value: unknown): value is Drawing =>
  typeof value === "object" && value !== null && "getState" in value && "setState" in value;

/** Whether a part has given what it would give now. A generator gives something else each time. */
const isSame = (ran: Ran | undefined, { make }: Part, args: readonly unknown[]): boolean =>
  ran !== undefined &&
  ran.make === make &&
  ran.args.length === args.length &&
  ran.args.every((arg, i) => sameArgumentValue(arg, args[i]) && !isDrawing(arg));

function ranPart({ make, structure }: Part, args: readonly unknown[]): Ran {
  const result = make(...(args as never[]));
  return { make, args, result, taken: structure && takenApart(result) };
}

function typeOf(tensor: Tensor): TensorType {
  return localEntry(tensor)!;
}

/** A tensor of values in a type of TensorFlow. */
function nativeTensor(values: object, { shape, dtype }: TensorType): TensorLike {
  const id = plainBinding().createTensor([...shape], dtype, values as never);
  return nativeBackend().createOutputTensor({ id, shape: [...shape], dtype });
}
