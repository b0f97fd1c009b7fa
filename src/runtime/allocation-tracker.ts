/** Bytes held for the results of one op. */
export interface OpMemory {
  /** How often the op ran since the process began. */
  calls: number;
  /** Bytes of its results that are held now. */
  live: number;
  /** The most that was held at once since the last `resetPeak()`. */
  peak: number;
}

export interface NativeMemory {
  live: number;
  peak: number;
  /** How many pieces of memory are held. Views of one tensor (reshape, clone, a variable's value) count once. */
  tensors: number;
  byOp: Record<string, OpMemory>;
}

/** A piece of native memory, held by one tensor or by several that view it. */
export interface Allocation {
  readonly bytes: number;
  readonly op: Account;
  readonly shape: readonly number[];
  /** TensorFlow's number of the type it is stored in, or tfjs' name of it on WebAssembly. */
  readonly type: number | string;
  tensors: number;
  /** What it is for, where that is known. */
  cause?: MemoryCategory;
  /** The line that made it, and the moment in milliseconds, while allocations are tracked. */
  site?: string;
  born?: number;
}

/** What a training step holds memory for. */
export type MemoryCategory =
  | "parameters"
  | "gradients"
  | "optimizer state"
  | "activations"
  | "attention scores"
  | "temporary";

interface Account extends OpMemory {
  readonly name: string;
}

/** Hears of every piece of memory; it is called inside the op and may run none itself. */
export interface AllocationListener {
  taken(memory: Allocation): void;
  freed?(memory: Allocation): void;
}

/** The op name under which data that JavaScript handed over is counted. */
export const upload = "(upload)";

const ops = new Map<string, Account>();
const listeners: AllocationListener[] = [];
const held = new Map<unknown, Allocation>();
let buffers = 0;
let live = 0;
let peak = 0;

/** The account of an op; counts one call. */
export function countCall(name: string): Account {
  let op = ops.get(name);
  if (!op) {
    op = { name, calls: 0, live: 0, peak: 0 };
    ops.set(name, op);
  }
  op.calls++;
  return op;
}

/** A native tensor came to be, known by `key`. */
export function recordAllocation(
  key: unknown,
  bytes: number,
  op: Account,
  shape: readonly number[],
  type: number | string,
): void {
  const memory: Allocation = { bytes, op, shape, type, tensors: 1 };
  held.set(key, memory);
  buffers++;
  live += bytes;
  if (live > peak) peak = live;
  op.live += bytes;
  if (op.live > op.peak) op.peak = op.live;
  for (let i = 0; i < listeners.length; i++) listeners[i]!.taken(memory);
}

/** A native tensor came to be that views the memory of another. */
export function recordView(key: unknown, other: unknown): void {
  const memory = held.get(other);
  if (!memory) return;
  memory.tensors++;
  held.set(key, memory);
}

/** A native tensor was freed, and with the last that views it its memory. */
export function recordRelease(key: unknown): void {
  const memory = held.get(key);
  if (!memory) return;
  held.delete(key);
  if (--memory.tensors > 0) return;
  buffers--;
  live -= memory.bytes;
  memory.op.live -= memory.bytes;
  for (let i = 0; i < listeners.length; i++) listeners[i]!.freed?.(memory);
}

/** The memory of the tensor known by `key`. */
export const allocationOf = (key: unknown): Allocation | undefined => held.get(key);

/** Every piece of memory that is held now. */
export const liveAllocations = (): Set<Allocation> => new Set(held.values());

/** Tells a listener of all that comes and goes; returns the way to stop. */
export function onAllocation(listener: AllocationListener): () => void {
  listeners.push(listener);
  return () => {
    const at = listeners.indexOf(listener);
    if (at >= 0) listeners.splice(at, 1);
  };
}

/** Bytes of all native tensors that are held now. */
export const liveBytes = (): number => live;

/**
 * Bytes of all native tensors, by the type that they are stored in. Counted where TensorFlow's C API makes and frees
 * them, so data given to `tf.tensor` counts from its first use by an op (until then it is a JavaScript array), and an
 * op's own scratch space does not count. A slice along the first axis counts as its own, though TensorFlow may let it
 * view its source.
 */
export function nativeMemory(): NativeMemory {
  const byOp: Record<string, OpMemory> = {};
  for (const [name, op] of ops) byOp[name] = { calls: op.calls, live: op.live, peak: op.peak };
  return { live, peak, tensors: buffers, byOp };
}

/** Lets every peak start again from what is held now. */
export function resetPeak(): void {
  peak = live;
  for (const op of ops.values()) op.peak = op.live;
}
