import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type NativeOp, op, type RunOp } from "./tfjs/hooks.ts";

/** May look at an op, change it, run it by `next` any number of times, and change its result. */
export type OpInterceptor = (op: NativeOp, next: RunOp) => Tensor[];

/**
 * Puts an interceptor around every op of the native backend, outside of those already there; returns the way to take it off
 * again. On WebAssembly no op passes here.
 */
export const interceptOps = (interceptor: OpInterceptor): (() => void) =>
  op.subscribe("interceptors", (next) => (op) => interceptor(op, next));
