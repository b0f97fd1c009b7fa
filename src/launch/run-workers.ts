import { setTimeout as after } from "node:timers/promises";
import { UserError } from "../base/user-error.ts";

/** How a worker ended: its text is for messages, and undefined where all went well. */
export interface Ending {
  rank: number;
  fault: string | undefined;
}

/** One worker of this machine. */
export interface StartedWorker {
  ended: Promise<Ending>;
  /** Ends it; `force` at once. */
  stop(force: boolean): void;
}

/** Milliseconds that the other workers have, after one has failed, to find that out and save their work; and, when they are stopped, to end. */
const GRACE = { find: 30_000, end: 10_000 };

/**
 * Waits for all workers. When one fails, the others are stopped, unless they end by themselves.
 *
 * @throws UserError when a worker failed: it names the one that failed first
 */
export async function runWorkers(workers: readonly StartedWorker[], signal: AbortSignal): Promise<void> {
  const endings: Ending[] = [];
  const all = Promise.all(
    workers.map(async ({ ended }) => {
      endings.push(await ended);
    }),
  );
  const failed = Promise.any(
    workers.map(async ({ ended }) => {
      if ((await ended).fault === undefined) throw new Error("it ended well");
    }),
  ).catch(() => all);
  await Promise.race([all, failed, aborted(signal)]);
  if (endings.length < workers.length) {
    const isOver = () => endings.length === workers.length;
    if (!signal.aborted) await Promise.race([all, aborted(signal), after(GRACE.find, undefined, { ref: false })]);
    for (const force of [false, true]) {
      if (isOver()) break;
      for (const worker of workers) worker.stop(force);
      await Promise.race([all, after(GRACE.end, undefined, { ref: false })]);
    }
    await all;
  }
  const first = endings.find(({ fault }) => fault !== undefined);
  if (first && !signal.aborted) throw new UserError(`Worker ${first.rank} ${first.fault}.`, 1);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
