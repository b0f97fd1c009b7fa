import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { NativeBackend } from "../tfjs/backend.ts";
import type { NativeOp } from "../tfjs/hooks.ts";
import * as hooks from "../tfjs/hooks.ts";
import { type Entry, entryOf, type ScalarValues, useBackend } from "./backend.ts";
import { executeCast, isOwnCast } from "./cast.ts";
import { isKernel } from "./kernels/kernel-name.ts";
import { rewritten } from "./promotion.ts";
import { BFLOAT16, DOUBLE, FLOAT, HALF, storageOfType } from "./storage-types.ts";

let inUse = false;
const whenUsed: (() => void)[] = [];

/** Calls back when the first tensor that is not float32 is made, or immediately if there was one. */
export function onFirstStorage(callback: () => void): void {
  if (inUse) callback();
  else whenUsed.push(callback);
}

/** Lets tensors of the native backend be stored in half, bfloat16 and double. Has no cost until the first one. */
export function openStorage(native: NativeBackend): void {
  useBackend(native);
  hooks.output.subscribe("storage", (output) => (metadata) => {
    const { dtype } = metadata;
    if (dtype !== HALF && dtype !== BFLOAT16 && dtype !== DOUBLE) return output(metadata);
    const tensor = output({ ...metadata, dtype: FLOAT });
    entryOf(tensor).dtype = dtype;
    if (!inUse) begin();
    return tensor;
  });
  hooks.read.subscribe("storage", (read) => (dataId) => {
    const entry = native.tensorMap.has(dataId) ? native.tensorMap.get(dataId) : undefined;
    if (!entry || entry.dtype === FLOAT || entry.values !== null || !storageOfType(entry.dtype)) return read(dataId);
    const { id } = executeCast(entry.id, entry.dtype, FLOAT);
    try {
      return native.binding.tensorDataSync(id);
    } finally {
      native.binding.deleteTensor(id);
    }
  });
  hooks.write.subscribe("storage", (write) => (dataId, values, shape, dtype, refCount) => {
    write(dataId, values, shape, dtype, refCount);
    if (shape.length === 0 && dtype === "float32") {
      const scalar = values as ScalarValues;
      const entry: Entry = native.tensorMap.get(dataId);
      entry.number = scalar.exact ?? scalar[0]!;
    }
  });
}

function begin(): void {
  inUse = true;
  // Inside autocast, which may have begun earlier, so that the results of its casts are seen here.
  hooks.op.subscribe("storage", (next) => (op) => {
    return isMixed(op) && !isOwnCast(op) && !isKernel(op.name) ? rewritten(op, next) : withNumber(op, next(op));
  });
  for (const callback of whenUsed.splice(0)) callback();
}

/** Keeps the original number of a scalar that tfjs casts to its own type, as tfjs' gradients do. */
function withNumber({ name, inputs }: NativeOp, made: Tensor[]): Tensor[] {
  if (name !== "Cast" || inputs[0]!.dtype !== "float32" || made[0]!.dtype !== "float32") return made;
  const { number } = entryOf(inputs[0]!);
  if (number !== undefined && entryOf(made[0]!).dtype === FLOAT) entryOf(made[0]!).number = number;
  return made;
}

/** Whether any input has a storage type that differs from its tfjs dtype. */
function isMixed({ inputs }: NativeOp): boolean {
  for (const input of inputs) if (input.dtype === "float32" && entryOf(input).dtype !== FLOAT) return true;
  return false;
}
