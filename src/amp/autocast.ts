import type { DataId, Tensor, TensorInfo, Variable } from "@tensorflow/tfjs-node-gpu";
import {
  castThrough,
  engine,
  hooks,
  type NativeOp,
  nativeStorageOf,
  onStopped,
  promoted,
  type RunOp,
  type Storage,
  type TapeNode,
  tf,
} from "../runtime/index.ts";
import { productKernel } from "../runtime/native/kernels/kernel-name.ts";
import { storageOf } from "../storage/to.ts";
import { listOf } from "./lists.ts";
import { type HalfType, type Region, reenter, region, setRegionPolicy } from "./region.ts";

/** Copies that the running op uses, by the tensor they are copies of: the tape saves these and not the originals. */
const taken = new Map<DataId, { copy: Tensor; type: Storage; own: boolean }>();
/** Copies that the tape has saved, for other ops on the same tensor. */
const kept = new WeakMap<DataId, { copy: Tensor; type: Storage }>();

/** The storage type for an op's inputs; undefined leaves them unchanged. As in PyTorch, float64 stays float64. */
function target(name: string, inputs: readonly TensorInfo[], type: HalfType): Storage | undefined {
  const list = listOf(name);
  if (list === undefined) return undefined;
  let widest: Storage | undefined;
  for (const input of inputs) {
    if (input.dtype !== "float32") continue;
    const storage = storageOf(input);
    if (storage === "float64") return undefined;
    widest = widest ? promoted(widest, storage) : storage;
  }
  return list === "half" ? type : list === "float32" ? "float32" : widest;
}

function atDoor(op: NativeOp, next: RunOp): Tensor[] {
  const inside = region();
  const wanted = inside?.type && target(op.name, op.inputs, inside.type);
  if (!wanted) return next(op);
  const made: Tensor[] = [];
  try {
    // A kernel of this library takes the bias of a product as it is.
    const isCast = (i: number) => i < 2 || op.name !== productKernel;
    const inputs = op.inputs.map((input, i) => (isCast(i) ? castInput(input, wanted, inside, made, next) : input));
    return next({ ...op, inputs });
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

function castInput(input: TensorInfo, wanted: Storage, inside: Region, made: Tensor[], next: RunOp): TensorInfo {
  if (input.dtype !== "float32" || nativeStorageOf(input) === wanted) return input;
  if (wanted === "float32") {
    const copy = castThrough(input, wanted, next);
    made.push(copy);
    return copy;
  }
  const { dataId } = input;
  const found = taken.get(dataId) ?? kept.get(dataId);
  if (found && found.type === wanted && !found.copy.isDisposed) {
    if (isTaping()) remember(dataId, found.copy, wanted, false);
    return found.copy;
  }
  const { weights } = inside.outermost;
  if (weights && isVariable(input)) {
    let copy = weights.get(dataId);
    if (!copy || nativeStorageOf(copy) !== wanted) {
      copy?.dispose();
      copy = engine.keep(castThrough(input, wanted, next));
      weights.set(dataId, copy);
    }
    // Not remembered, because the tape would hold a copy of every weight until the backward pass, which can make it again.
    return copy;
  }
  const copy = castThrough(input, wanted, next);
  if (isTaping()) remember(dataId, engine.keep(copy), wanted, true);
  else made.push(copy);
  return copy;
}

function remember(dataId: DataId, copy: Tensor, type: Storage, own: boolean): void {
  if (!taken.has(dataId)) taken.set(dataId, { copy, type, own });
}

const isTaping = (): boolean => engine.state.gradientDepth > 0;
const isVariable = (input: TensorInfo): boolean => input instanceof (tf.Variable as unknown as typeof Variable);

function release(): void {
  for (const { copy, own } of taken.values()) if (own) copy.dispose();
  taken.clear();
}

/**
 * Saves for the gradient what the op computed with: a half copy where there was one, instead of the float32 original. The
 * gradient runs in the autocast region of the op.
 */
function whenRecorded(node: TapeNode): void {
  const inside = region();
  // Saving a tensor clones it, and the clone is recorded within the op that saves.
  if (taken.size > 0 && engine.state.kernelDepth === 0) {
    engine.state.kernelDepth++;
    try {
      node.saved.forEach((saved, i) => {
        const found = taken.get(saved.dataId);
        if (!found) return;
        const copy = engine.keep(found.copy.clone());
        kept.set(saved.dataId, { copy, type: found.type });
        // A second derivative needs the path from the copy to the original.
        if (engine.state.gradientDepth > 1)
          engine.addTapeNode("autocast", { x: saved }, [copy], (dy) => ({ x: () => dy }), [], {});
        saved.dispose();
        node.saved[i] = copy;
      });
    } finally {
      engine.state.kernelDepth--;
    }
    release();
  }
  const { gradient } = node;
  if (!inside || !gradient) return;
  node.gradient = (dys) => {
    const made = reenter(inside, () => gradient(dys));
    return Object.fromEntries(Object.entries(made).map(([name, dx]) => [name, () => reenter(inside, dx)]));
  };
}

setRegionPolicy({
  door: atDoor,
  emulated: (kernel, inputs) => {
    const inside = region();
    return inside?.type && target(emulatedName(kernel), inputs, inside.type);
  },
  closed(left) {
    release();
    for (const copy of left.weights?.values() ?? []) copy.dispose();
  },
});
hooks.tape.subscribe("autocast", whenRecorded);
hooks.untaped.subscribe("autocast", release);
onStopped(release);

/** TensorFlow's name of an op whose tfjs kernel has another name. */
function emulatedName(kernel: string): string {
  return renamed[kernel] ?? kernel;
}

const renamed: Record<string, string> = {
  ...{ _FusedMatMul: "MatMul", BatchMatMul: "BatchMatMulV2", FusedConv2D: "Conv2D" },
  FusedDepthwiseConv2D: "DepthwiseConv2dNative",
  FusedBatchNorm: "FusedBatchNormV3",
};
