import { formatBytes } from "../base/bytes.ts";
import { type Displayable, displaySymbol, mimeBundle, table } from "../display/index.ts";
import { type Allocation, collect, liveAllocations, onAllocation, settleCauses } from "../runtime/index.ts";
import { storageType } from "./holders.ts";
import { currentSite } from "./sites.ts";

/** A live native allocation: one tensor, or several that share it. */
export interface LiveTensor {
  /** The line that made it, if allocations were tracked then. */
  site?: string;
  /** The op that made it. */
  op: string;
  shape: readonly number[];
  /** The type of its elements. */
  type: string;
  bytes: number;
  /** What it is used for, for instance "parameters", where it is known. */
  cause?: string;
  /** Milliseconds since it was made, if allocations were tracked then. */
  age?: number;
}

/** All live tensors and their bytes; a notebook shows them as a table. */
export interface Leaks extends Displayable {
  /** The largest first. */
  tensors: LiveTensor[];
  bytes: number;
}

let stop: (() => void) | undefined;

/**
 * Records for every new tensor the line that makes it and the time, for `leaks()` and OutOfMemoryError; `false` stops it. Off
 * by default, because it walks the stack at every op. Returns whether it is on.
 */
export function trackAllocations(on = true): boolean {
  if (on && !stop) {
    stop = onAllocation({
      taken(memory) {
        memory.born = performance.now();
        const site = currentSite();
        if (site !== undefined) memory.site = site;
      },
    });
  } else if (!on) {
    stop?.();
    stop = undefined;
  }
  return stop !== undefined;
}

/**
 * All tensors that are alive after a garbage collection. A notebook shows a table, grouped by line, op and shape. If it grows
 * from call to call, something keeps the tensors reachable. Data given to `tf.tensor` counts from its first use by an op.
 */
export function leaks(): Leaks {
  collect();
  settleCauses();
  const now = performance.now();
  const tensors = [...liveAllocations()].map((memory) => described(memory, now)).sort((a, b) => b.bytes - a.bytes);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const made: Leaks = { tensors, bytes, [displaySymbol]: () => mimeBundle(asTable(tensors, bytes)) };
  return Object.defineProperty(made, displaySymbol, { enumerable: false });
}

function described(memory: Allocation, now: number): LiveTensor {
  const { site, op, shape, bytes, cause, born } = memory;
  return {
    ...(site !== undefined && { site }),
    op: op.name,
    shape,
    type: storageType(memory),
    bytes,
    ...(cause && { cause }),
    ...(born !== undefined && { age: now - born }),
  };
}

function asTable(tensors: readonly LiveTensor[], bytes: number): Displayable {
  const groups = new Map<string, LiveTensor[]>();
  for (const tensor of tensors) {
    const { site, op, shape, type, cause } = tensor;
    const key = JSON.stringify([site, op, shape, type, cause]);
    const group = groups.get(key);
    if (group) group.push(tensor);
    else groups.set(key, [tensor]);
  }
  const rows = [...groups.values()]
    .map((group) => ({
      ...group[0]!,
      count: group.length,
      bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
      oldest: Math.max(...group.map(({ age }) => age ?? 0)),
    }))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ site, op, shape, type, cause, oldest, count, bytes }) => ({
      "made at": site ?? (stop ? "before tracking" : "call trackAllocations()"),
      op,
      shape: `[${shape.join(", ")}]`,
      type,
      for: cause ?? "",
      tensors: count,
      held: formatBytes(bytes),
      ...(oldest > 0 && { "oldest made": `${(oldest / 1000).toFixed(1)} s ago` }),
    }));
  const caption = `${tensors.length} live ${tensors.length === 1 ? "tensor holds" : "tensors hold"} ${formatBytes(bytes)}`;
  return table(rows.length > 0 ? rows : [{ tensors: 0 }], { caption });
}
