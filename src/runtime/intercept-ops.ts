import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type NativeOp, op, type RunOp } from "./tfjs/hooks.ts";

/** A function that may change an op, run it any number of times with `next`, and change its result. */
export type OpInterceptor = (op: NativeOp, next: RunOp) => Tensor[];

/**
 * Puts an interceptor around every op of the native backend, outside of existing interceptors. Returns a function that removes
 * it. Ops on WebAssembly are not intercepted.
 */
export const interceptOps = (interceptor: OpInterceptor): (() => void) =>
  op.subscribe("interceptors", (next) => (op) => interceptor(op, next));
