import { AsyncLocalStorage } from "node:async_hooks";
import type { DataId, Tensor } from "@tensorflow/tfjs-node-gpu";
import { begin, checkStorage, interceptOps, isNative } from "../runtime/index.ts";
import { emulate, useLists } from "../storage/emulated.ts";

/** A storage type of half precision. */
export type HalfType = "float16" | "bfloat16";

/** The state while the function of an `autocast` runs, also in what it awaits. */
export interface Region {
  /** Undefined where autocast is switched off. */
  type: HalfType | undefined;
  /** The outermost region's half copies of variables; absent once that region has ended. */
  weights: Map<DataId, Tensor> | undefined;
  outermost: Region;
}

const current = new AsyncLocalStorage<Region>();
let open = 0;
let leave: (() => void) | undefined;

/** The region that the running code is in. */
export const region = (): Region | undefined => (open > 0 ? current.getStore() : undefined);

/** What is done with each op while any region is open; set once, by autocast. */
export interface RegionPolicy {
  door: Parameters<typeof interceptOps>[0];
  emulated: Parameters<typeof useLists>[0];
  /** When an outermost region is left. */
  closed(region: Region): void;
}

let policy: RegionPolicy | undefined;

export function setRegionPolicy(set: RegionPolicy): void {
  policy = set;
}

function enter(): void {
  if (open++ > 0) return;
  if (!isNative()) emulate();
  leave = interceptOps(policy!.door);
  useLists(policy!.emulated);
}

function exit(): void {
  if (--open > 0) return;
  leave?.();
  useLists(() => undefined);
}

/** Runs `fn` in a region, which lasts until its result has settled. */
function runInRegion<T>(inside: Region, fn: () => T): T {
  let pending = false;
  const open = begin(enter, () => {
    exit();
    if (inside.outermost !== inside) return;
    policy!.closed(inside);
    inside.weights = undefined;
  });
  try {
    const result = current.run(inside, fn);
    if (!(result instanceof Promise)) return result;
    pending = true;
    open.awaits();
    return result.finally(open.end) as T;
  } finally {
    if (!pending) open.end();
  }
}

/** Runs `fn` within a region, which may have ended since. */
export function reenter<T>(inside: Region | undefined, fn: () => T): T {
  if (region() === inside) return fn();
  const open = begin(enter, exit);
  try {
    return current.run(inside as Region, fn);
  } finally {
    open.end();
  }
}

/**
 * Runs `fn` with mixed precision: matrix products and convolutions in the half type, ops that need range or precision in
 * float32 (see `autocastLists()`), and other ops in the types of their inputs. Parameters stay float32; each is cast once, and
 * the copy is kept until the outermost autocast ends. Gradients are computed in the same types, also outside of autocast.
 * `false` switches autocast off within `fn`.
 *
 * `fn` may be async: what it awaits is included, code that runs meanwhile elsewhere is not.
 *
 * Micikevicius et al. 2018, "Mixed precision training" (arXiv 1710.03740); PyTorch's `torch.autocast`.
 *
 * @throws TypeError for another type than "float16", "bfloat16" or false, or when `fn` is not a function
 */
export function autocast<T>(type: HalfType | false, fn: () => T): T {
  if (type !== false) {
    try {
      checkStorage(type, ["float16", "bfloat16"]);
    } catch (error) {
      throw new TypeError(`autocast: ${(error as Error).message}; autocast(false, fn) switches it off`);
    }
  }
  if (typeof fn !== "function")
    throw new TypeError(`autocast: the second argument must be a function, got ${typeof fn}`);
  const outer = region();
  const inside = { type: type || undefined, weights: outer?.outermost.weights } as Region;
  inside.outermost = outer?.outermost ?? inside;
  if (!outer) inside.weights = new Map();
  return runInRegion(inside, fn);
}

/** The half type in force; undefined outside of autocast and within `autocast(false, ...)`. PyTorch's `get_autocast_dtype`. */
export const autocastType = (): HalfType | undefined => region()?.type;
