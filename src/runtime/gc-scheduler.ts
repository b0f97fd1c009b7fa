import { collectAll, collectYoung } from "./gc.ts";
import { uninterrupted } from "./interrupts.ts";

/** Decides when to run a garbage collection. */
export interface GcPolicy {
  beforeOp(): void;
  collect(): void;
}

const MB = 2 ** 20;
/** The growth in bytes after a collection that triggers the next one. */
const growthLimit = (held: number): number => Math.max(64 * MB, held / 4);
const fullGrowthLimit = (held: number): number => Math.max(128 * MB, held / 2);
/** After this time without an op, the remaining garbage is collected. */
const IDLE = 250;

/**
 * Decides when V8 collects garbage. V8 does not know the size of a tensor's native memory, so it would collect too rarely. If it
 * were told by `napi_adjust_external_memory`, it would run a full collection for every 64 MB, which is slow with a large heap.
 *
 * When `held` has grown by a quarter, or at least by 64 MB, since the last check, the young objects are collected. A full collection
 * follows only if that freed less than half of the growth, and the memory has grown by half since the last full collection. A
 * program that frees its tensors itself (by a tape, `tidy` or `using`) is not interrupted again once its peak is known. When no op
 * runs for a quarter of a second, the remaining garbage is collected.
 */
export function gcScheduler(held: () => number, freeCollected: () => void): GcPolicy {
  let floor = 0;
  let limit = growthLimit(0);
  let fullFloor = 0;
  let fullAt = 0;
  let fullTook = 0;
  let ops = 0;
  let opsAtTimer = 0;
  let opsAtFull = 0;
  let timer = false;

  const settle = (): void => {
    floor = held();
    limit = floor + growthLimit(floor);
  };

  const collectNow = (): void => {
    const start = performance.now();
    collectAll();
    fullAt = performance.now();
    fullTook = fullAt - start;
    freeCollected();
    settle();
    fullFloor = floor;
    opsAtFull = ops;
  };
  const collect = (): void => uninterrupted(collectNow);

  const relieve = (): void => {
    const before = held();
    collectYoung();
    freeCollected();
    const after = held();
    const mayHelp = before - after < (before - floor) / 2 && after > fullFloor + fullGrowthLimit(fullFloor);
    // Full collections may take a tenth of the time, unless the memory grows without bound.
    const inTime = performance.now() - fullAt > 10 * fullTook || after > 2 * fullFloor + 256 * MB;
    if (mayHelp && inTime) collect();
    else settle();
  };

  const whenIdle = (): void => {
    timer = false;
    if (ops !== opsAtTimer) arm();
    else if (ops !== opsAtFull && held() > MB) collect();
    else uninterrupted(freeCollected);
  };
  const arm = (): void => {
    timer = true;
    opsAtTimer = ops;
    setTimeout(whenIdle, IDLE).unref();
  };

  return {
    beforeOp() {
      ops++;
      if (held() > limit) relieve();
      if (!timer) arm();
    },
    collect,
  };
}
