import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";

/** An op before it runs: TensorFlow's, or on WebAssembly a kernel of tfjs. */
export interface GatedOp {
  readonly name: string;
  readonly attrs: unknown;
  readonly inputs: readonly TensorInfo[];
}

/** Looks at every op before and after, and may throw. Unlike an interceptor it changes nothing and works on every backend. */
export interface OpGuard {
  before?(op: GatedOp): void;
  after?(op: GatedOp, made: readonly Tensor[]): void;
}

/** Without guards, as nearly always, an op passes at the cost of one look at this. */
export const opGuards: OpGuard[] = [];

/** Adds a guard; returns the way to take it off. */
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
