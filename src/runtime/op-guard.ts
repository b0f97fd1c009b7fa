import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";

/** An op before it runs: an op of TensorFlow, or on WebAssembly a kernel of tfjs. */
export interface GatedOp {
  readonly name: string;
  readonly attrs: unknown;
  readonly inputs: readonly TensorInfo[];
}

/**
 * Is called before and after every op, and may throw. Unlike an interceptor it cannot change the op, and it works on every
 * backend.
 */
export interface OpGuard {
  before?(op: GatedOp): void;
  after?(op: GatedOp, made: readonly Tensor[]): void;
}

/** Usually empty; then it costs an op only one check. */
export const opGuards: OpGuard[] = [];

/** Adds a guard. Returns a function that removes it. */
export function addOpGuard(guard: OpGuard): () => void {
  opGuards.push(guard);
  return () => {
    const at = opGuards.indexOf(guard);
    if (at >= 0) opGuards.splice(at, 1);
  };
}

export function guarded(op: GatedOp, run: () => Tensor[]): Tensor[] {
  const standing = [...opGuards];
  for (const guard of standing) guard.before?.(op);
  const made = run();
  for (const guard of standing) guard.after?.(op, made);
  return made;
}
