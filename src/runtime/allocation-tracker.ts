/** The memory of one op's results. */
export interface OpMemory {
  /** Number of calls since the process began. */
  calls: number;
  /** Bytes of its results that are alive now. */
  live: number;
  /** The peak of `bytes` since the last `resetPeak()`. */
  peak: number;
}

export interface NativeMemory {
  live: number;
  peak: number;
  /** Number of allocations that are alive. Views of one tensor (reshape, clone, a variable's value) count once. */
  tensors: number;
  byOp: Record<string, OpMemory>;
}

/** One allocation of native memory, used by one tensor or by several that view it. */
export interface Allocation {
  readonly bytes: number;
  readonly op: Account;
  readonly shape: readonly number[];
  /** The storage type: TensorFlow's type number, or on WebAssembly tfjs' name. */
  readonly type: number | string;
  tensors: number;
  /** The purpose of the memory, if it is known. */
  cause?: MemoryCategory;
  /** The line of code that allocated it and the time in milliseconds, while allocations are tracked. */
  site?: string;
  born?: number;
}

/** The purposes of memory in a training step. */
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

/** Is notified of every allocation and release. It is called inside an op and must not run ops. */
export interface AllocationListener {
  taken(memory: Allocation): void;
  freed?(memory: Allocation): void;
}

/** The op name under which data from JavaScript is counted. */
export const upload = "(upload)";

const ops = new Map<string, Account>();
const listeners: AllocationListener[] = [];
const held = new Map<unknown, Allocation>();
let buffers = 0;
let live = 0;
let peak = 0;
/** The largest peak that `resetPeak` has reset. */
let earlierPeak = 0;

/** The statistics of an op. Counts one call. */
export function countCall(name: string): Account {
  let op = ops.get(name);
  if (!op) {
    op = { name, calls: 0, live: 0, peak: 0 };
    ops.set(name, op);
  }
  op.calls++;
  return op;
}

/** Records a new native tensor, identified by `key`. */
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

/** Records a new native tensor that views the memory of another. */
export function recordView(key: unknown, other: unknown): void {
  const memory = held.get(other);
  if (!memory) return;
  memory.tensors++;
  held.set(key, memory);
}

/** Records that a native tensor was freed. Its memory is freed with the last tensor that views it. */
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

/** The memory of the tensor identified by `key`. */
export const allocationOf = (key: unknown): Allocation | undefined => held.get(key);

/** Records that an op used so many bytes at one time beyond those that are alive now. */
export function recordPeak(bytes: number): void {
  if (live + bytes > peak) peak = live + bytes;
}

/** Every allocation that is alive now. */
export const liveAllocations = (): Set<Allocation> => new Set(held.values());

/** Notifies a listener of every allocation and release. Returns a function that removes the listener. */
export function onAllocation(listener: AllocationListener): () => void {
  listeners.push(listener);
  return () => {
    const at = listeners.indexOf(listener);
    if (at >= 0) listeners.splice(at, 1);
  };
}

/** The number of listeners. */
export const onAllocationCount = (): number => listeners.length;

/** Bytes of all native tensors that are alive now. */
export const liveBytes = (): number => live;

/**
 * Bytes of all native tensors, by storage type. They are counted where TensorFlow's C API makes and frees them. Data given to
 * `tf.tensor` counts from its first use by an op, because until then it is a JavaScript array. The scratch space of an op does
 * not count. A slice along the first axis counts as separate memory, although TensorFlow may make it a view of its source.
 */
export function nativeMemory(): NativeMemory {
  const byOp: Record<string, OpMemory> = {};
  for (const [name, op] of ops) byOp[name] = { calls: op.calls, live: op.live, peak: op.peak };
  return { live, peak, tensors: buffers, byOp };
}

/** The peak since the process began, whatever `resetPeak` has reset. */
export const processPeak = (): number => Math.max(earlierPeak, peak);

/** Resets every peak to the memory that is in use now. */
export function resetPeak(): void {
  earlierPeak = processPeak();
  peak = live;
  for (const op of ops.values()) op.peak = op.live;
}
