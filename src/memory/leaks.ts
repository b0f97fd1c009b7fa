import { formatBytes } from "../base/bytes.ts";
import { type Displayable, displaySymbol, mimeBundle, table } from "../display/index.ts";
import { type Allocation, collect, liveAllocations, onAllocation, settleCauses } from "../runtime/index.ts";
import { storageType } from "./holders.ts";
import { currentSite } from "./sites.ts";

/** Native memory that is alive: one tensor, or several that share it. */
export interface LiveTensor {
  /** The line that made it; only of what was made while allocations were tracked. */
  site?: string;
  /** The op that made it. */
  op: string;
  shape: readonly number[];
  /** The type that it is stored in. */
  type: string;
  bytes: number;
  /** What it is for, where it is known. */
  cause?: string;
  /** Milliseconds since it was made; only of what was made while allocations were tracked. */
  age?: number;
}

export interface Leaks extends Displayable {
  /** The largest first. */
  tensors: LiveTensor[];
  bytes: number;
}

let stop: (() => void) | undefined;

/**
 * Notes for every tensor from now on the line that makes it and when, for `leaks()` and an OutOfMemoryError; `false` ends
 * that. It walks the stack for every op, 20 to 50 us, and so is off until asked for. Returns whether it is on.
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
 * Every tensor that is alive after all garbage was collected: as a cell's value a table, those of one line, op and shape
 * together. Where it grows from call to call, something holds them. Data given to `tf.tensor` counts from its first use.
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
      "made at": site ?? (stop ? "before tracking" : "trackAllocations() tells"),
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
