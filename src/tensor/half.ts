// Functions of several ops with half-precision inputs: as PyTorch's kernels they compute in float32 and round once.

import { autocastOp, autocastType } from "../amp/index.ts";
import { promoted, type Storage } from "../runtime/index.ts";
import { storageOf, to } from "../storage/index.ts";
import { cast, scoped } from "./engine.ts";
import { label, namesOf } from "./names.ts";
import type { AnyTensor, Operand } from "./types/tensor.ts";

/** A half as float32; itself for any other tensor. */
export const toFloat32 = (x: AnyTensor): AnyTensor => (isHalf(x) ? to(x, "float32") : x);

/** An operand as floats: whole numbers and bools are stored as the floats beside them are, as PyTorch promotes them. */
export function floatsBeside(x: AnyTensor, other: Operand): AnyTensor {
  if (x.dtype === "float32") return x;
  const isTyped = typeof other !== "number" && other.dtype === "float32";
  return isTyped && storageOf(other) !== "float32" ? label(to(x, storageOf(other)), namesOf(x)) : cast(x, "float32");
}

/** A result that was computed in float32, as a half where `like` is one. */
export function asStored(value: AnyTensor, like: AnyTensor): AnyTensor {
  const storage = storageOf(like);
  return isHalfType(storage) ? to(value, storage) : value;
}

const isHalfType = (storage: Storage): boolean => storage === "float16" || storage === "bfloat16";

export const isHalf = (x: AnyTensor): boolean => isHalfType(storageOf(x));

/**
 * Runs `f` on float32 copies of the tensors that are stored as halves, and stores the result as those were. `autocast`
 * says what PyTorch's autocast makes of the function as a whole: one on its float32 list gives float32 there, the others
 * run in the types that they get. `typed` are the inputs that decide the storage of the result: not the scalars that were made of
 * JavaScript's numbers. A tensor with axes decides before a scalar.
 */
export function inFloat32(
  op: string,
  autocast: "float32" | "unlisted",
  inputs: readonly AnyTensor[],
  f: (...inputs: AnyTensor[]) => AnyTensor,
  typed: readonly AnyTensor[] = inputs,
): AnyTensor {
  // The ops within are on lists of their own: a bias would be added in half.
  if (autocast === "float32" && autocastType()) return scoped(op, () => autocastOp("float32", f)(...inputs));
  const storages = inputs.map((x) => (x.dtype === "float32" ? storageOf(x) : undefined));
  if (!storages.some((storage) => storage && isHalfType(storage))) return f(...inputs);
  const floats = typed.filter((x) => x.dtype === "float32");
  const wide = floats.filter((x) => x.rank > 0);
  const common = (wide.length > 0 ? wide : floats).map(storageOf).reduce(promoted);
  return scoped(op, () => {
    const value = f(...inputs.map((x, i) => (storages[i] && isHalfType(storages[i]) ? to(x, "float32") : x)));
    return to(value, common);
  });
}
