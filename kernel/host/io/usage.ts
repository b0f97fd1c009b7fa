import { globalObject } from "../primordials.ts";
import { answerCalls } from "./calls.ts";

/** Bytes and count of native tensors. */
export interface TensorMemory {
  live: number;
  peak: number;
  tensors: number;
}

/** The memory of the tensor library's tensors; undefined while it is not loaded. */
export function tensorMemory(): TensorMemory | undefined {
  const runtime = Reflect.get(globalObject, Symbol.for("halftone.runtime")) as
    | { nativeMemory(): TensorMemory }
    | undefined;
  if (!runtime) return undefined;
  const { live, peak, tensors } = runtime.nativeMemory();
  return { live, peak, tensors };
}

export function installUsage(): void {
  answerCalls("tensorMemory", tensorMemory);
}
