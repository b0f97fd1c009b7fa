import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { flatten, tf, unflatten } from "../runtime/index.ts";
import { storageOf, to } from "../storage/to.ts";
import { isTensor, leaves, type Mapped, mapTree } from "../tensor/tree.ts";
import { broadcastTensor } from "./broadcast.ts";
import { type ReduceOp, reduceOps, reductionOf } from "./collective.ts";
import { exchange, place } from "./exchange.ts";
import { gatherValues } from "./gather.ts";

/** Options of `distributed.allReduce`. */
export interface AllReduceOptions {
  /** What is computed of the workers' values, elementwise; `"sum"` by default. */
  op?: ReduceOp | "mean";
  /** The type in which real numbers are sent and combined: half as many bytes, and rounded. Float32 by default. */
  in?: "float16" | "bfloat16" | undefined;
}

/** The workers of a training that `halftone train` has started. A program that runs alone is the only worker, rank 0 of 1. */
export interface Distributed {
  /** The number of this worker, from 0. */
  readonly rank: number;
  /** How many workers there are. */
  readonly size: number;
  /**
   * The sum, mean, product, smallest or largest of all workers' tensors, elementwise, in all workers; of one tensor or of a tree of
   * them, gradients for instance, whose real numbers are sent as one vector. All workers must call it with the same shapes. It has no
   * gradient.
   *
   * @throws TypeError for another dtype than float32 and int32, a mean of int32, and a tree without tensors
   * @throws WorkerError when a worker has ended, does not come in time, or calls something else
   */
  allReduce<T>(x: T, options?: AllReduceOptions): T;
  /**
   * The tensor of the worker `from`, 0 by default, in all workers, or a tree of tensors. All workers must call it with the same shapes.
   *
   * @throws RangeError when there is no such worker; WorkerError as in `allReduce`
   */
  broadcast<T>(x: T, from?: number): T;
  /**
   * Returns when all workers have called it.
   *
   * @throws WorkerError as in `allReduce`
   */
  barrier(): void;
}

/**
 * The workers of a training: `rank` and `size`, and what they exchange.
 *
 *     const mean = distributed.allReduce(gradients, { op: "mean" });
 *     if (distributed.rank === 0) console.log("all gradients are here");
 */
export const distributed: Distributed = {
  get rank() {
    return place().rank;
  },
  get size() {
    return place().size;
  },
  allReduce: (x, options) => checkedTree("allReduce", x, (tensors) => reduceAll(tensors, options)),
  broadcast(x, from = 0) {
    const { size } = place();
    if (!(Number.isInteger(from) && from >= 0 && from < size))
      throw new RangeError(`broadcast: from must be the rank of a worker, from 0 to ${size - 1}, got ${from}`);
    return checkedTree("broadcast", x, (tensors) => tensors.map((tensor) => broadcastTensor(tensor, from)));
  },
  barrier: () => void gatherValues(undefined),
};

/** A tree with the tensors that `f` gives for those of a tree. */
function checkedTree<T>(name: string, tree: T, f: (tensors: Tensor[]) => Tensor[]): T {
  const tensors = leaves(tree).map(({ tensor }) => tensor as Tensor);
  if (tensors.length === 0) throw new TypeError(`${name}: expected a tensor or a tree of tensors, got neither`);
  const wrong = tensors.find(({ dtype }) => dtype !== "float32" && dtype !== "int32");
  if (wrong) throw new TypeError(`${name}: expected float32 or int32 tensors, got ${wrong.dtype}`);
  const made = f(tensors);
  let at = 0;
  return (isTensor(tree) ? made[0] : mapTree(tree, () => made[at++]!)) as Mapped<T, Tensor> as T;
}

function reduceAll(tensors: readonly Tensor[], { op = "sum", in: half }: AllReduceOptions = {}): Tensor[] {
  if (op !== "mean" && !reduceOps.includes(op))
    throw new TypeError(`allReduce: op must be ${[...reduceOps, "mean"].join(", ")}, got ${JSON.stringify(op)}`);
  if (op === "mean" && tensors.some(({ dtype }) => dtype === "int32"))
    throw new TypeError("allReduce: the mean of int32 is not an integer: convert with asType first, or take the sum");
  const real = tensors.filter(({ dtype }) => dtype === "float32");
  return tf.tidy(() => {
    const vector = real.length > 0 ? reduceVector(flatten(real), op, half) : undefined;
    const parts = vector ? unflatten(vector, real) : [];
    const reduced = new Map(real.map((tensor, i) => [tensor, parts[i]!]));
    return tensors.map((tensor) => reduced.get(tensor) ?? reduceVector(tensor, op, half));
  });
}

/** The result of all workers for a tensor, in its own type. */
export function reduceVector<T extends Tensor>(x: T, op: ReduceOp | "mean", half: AllReduceOptions["in"]): T {
  const { size } = place();
  if (size === 1) return tf.clone(x);
  const storage = storageOf(x);
  const sent = half && x.dtype === "float32" ? to(x, half) : x;
  const all = exchange(reductionOf(sent, op === "mean" ? "sum" : op));
  const own = x.dtype === "float32" ? to(all, storage) : all;
  return (op === "mean" ? tf.div(own, size) : own) as T;
}
