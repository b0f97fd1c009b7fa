import type { Plan, Point } from "./plan.ts";
import type { PointRecord } from "./record.ts";
import type { Store } from "./store.ts";

/*
 * To add an executor (a place where points run):
 *
 * 1. A file in this folder with a function that returns an `Executor`; local.ts is the smallest.
 *    Where it starts processes on other machines, each of them runs `halftone sweep-point PLANNED ID... [--store DIR]` (src/cli/sweep-point.ts):
 *    PLANNED is a folder with the plan.json and source.ipynb of `Store.begin`, and the command writes points/ID.ipynb and points/ID.json below
 *    DIR, which is PLANNED itself where the folder is shared. It refuses to run if the machine's build, the notebook or an input differs from the plan.
 * 2. A line in `executorFor` of executors.ts, which reads `--on`.
 *
 * The rest is the same for all executors: plan.ts (plan), run-sweep.ts (reuse of what is done, limits), results.ts, src/cli/sweep.ts (progress lines).
 */

/** Runs points somewhere. */
export interface Executor {
  /** For messages: `this machine`, `ray://head:8265`. */
  readonly place: string;
  /** Checks, before the first point runs, what would make all of them fail: a host that does not answer, a refused token, another version. @throws UserError */
  check?(sweep: Sweep): Promise<void>;
  /**
   * Runs the points and yields the record of each one that has ended, in any order and each once. The executor stores the executed notebook
   * and the record in `sweep.store` before it yields the record (`Store.save`). When `signal` aborts, it stops what is running, yields no more
   * and returns (`signal.reason` is "signal" for Ctrl-C, "failures" or "time" for a limit); a point that was stopped has no record. A failure
   * of the place itself, after retries, is a record with status "error" where it concerns one point, and a UserError where it concerns all.
   *
   * If an earlier `detach` of these points is still at work, `run` follows it instead of starting anything twice.
   */
  run(sweep: Sweep, points: readonly Point[], options: { signal: AbortSignal }): AsyncIterable<PointRecord>;
  /** Starts the points and returns when they run, or are queued, without this process. Returns a sentence that says what was started and how to stop it. */
  detach(sweep: Sweep, points: readonly Point[]): Promise<string>;
}

/** What an executor needs to know of a sweep. */
export interface Sweep {
  plan: Plan;
  store: Store;
  /** The notebook's folder on this machine. */
  folder: string;
  /** The time limit of each cell, in seconds. */
  timeout?: number;
  /** Tells the user something that is not about one point. */
  say: (message: string) => void;
}

/** What one point may use, where the place shares out its machines. */
export interface Resources {
  cpus?: number;
  gpus?: number;
  /** In bytes. */
  memory?: number;
}
