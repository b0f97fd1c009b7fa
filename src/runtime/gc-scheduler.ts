import { collectAll, collectYoung } from "./gc.ts";
import { uninterrupted } from "./interrupts.ts";

/** Decides when to collect. */
export interface GcPolicy {
  beforeOp(): void;
  collect(): void;
}

const MB = 2 ** 20;
/** How much may come on top of what the last collection left. */
const room = (held: number): number => Math.max(64 * MB, held / 4);
const fullRoom = (held: number): number => Math.max(128 * MB, held / 2);
/** No op for so long: time to clean up. */
const IDLE = 250;

/**
 * V8 does not know what a tensor weighs, so it would look for dead ones far too seldom; told of it by
 * `napi_adjust_external_memory` it runs a full collection for every 64 MB, which is dear beside a large heap. So this
 * decides: when `held` has grown by a quarter or 64 MB since the last look, the young objects are collected (0.2 to 1 ms).
 * Only if that gives back less than half of the growth, and the memory has grown by half since the last full collection,
 * comes a full one. A program that frees its own (a tape, `tidy`, `using`) teaches it its peak and is then left alone.
 * When no op runs for a quarter of a second, what is left is collected.
 */
export function gcScheduler(held: () => number, bury: () => void): GcPolicy {
  let floor = 0;
  let limit = room(0);
  let fullFloor = 0;
  let fullAt = 0;
  let fullTook = 0;
  let ops = 0;
  let opsAtTimer = 0;
  let opsAtFull = 0;
  let timer = false;

  const settle = (): void => {
    floor = held();
    limit = floor + room(floor);
  };

  const collectNow = (): void => {
    const start = performance.now();
    collectAll();
    fullAt = performance.now();
    fullTook = fullAt - start;
    bury();
    settle();
    fullFloor = floor;
    opsAtFull = ops;
  };
  const collect = (): void => uninterrupted(collectNow);

  const relieve = (): void => {
    const before = held();
    collectYoung();
    bury();
    const after = held();
    const mayHelp = before - after < (before - floor) / 2 && after > fullFloor + fullRoom(fullFloor);
    // A full collection may take a tenth of the time, unless the memory runs away.
    const inTime = performance.now() - fullAt > 10 * fullTook || after > 2 * fullFloor + 256 * MB;
    if (mayHelp && inTime) collect();
    else settle();
  };

  const whenIdle = (): void => {
    timer = false;
    if (ops !== opsAtTimer) arm();
    else if (ops !== opsAtFull && held() > MB) collect();
    else uninterrupted(bury);
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
