import { environmentFor, inTurns, jobsFor, thisMachine } from "../notebook/jobs.ts";
import { Channel } from "./channel.ts";
import type { Executor } from "./executor.ts";
import { inputStamp, requireIdentity } from "./plan.ts";
import type { PointRecord } from "./record.ts";
import { runPoint } from "./run-point.ts";

/** Runs points on this machine: several at a time, each with its share of the cores, as `halftone run FOLDER` does. */
export function localExecutor({ jobs: wanted, detach }: { jobs?: number; detach: Executor["detach"] }): Executor {
  return {
    place: "this machine",
    async *run({ plan, store, folder, timeout, say }, points, { signal }) {
      const machine = thisMachine();
      const jobs = Math.min(wanted ?? jobsFor(points.length, machine), points.length);
      const env = environmentFor(jobs, machine);
      if (jobs > 1) say(`${jobs} points at a time, with ${env.TF_NUM_INTRAOP_THREADS} of ${machine.cores} cores each`);
      const source = store.source();
      const stamp = inputStamp(plan, folder);
      const ended = new Channel<PointRecord>();
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      inTurns(jobs, points, async (point) => {
        if (stop.aborted) return;
        // Somebody may edit a file while the sweep runs: its later points would not be what their names say.
        if (inputStamp(plan, folder) !== stamp) requireIdentity(plan, source, folder);
        const options = { env, signal: stop, ...(timeout === undefined ? {} : { timeout }) };
        const record = await runPoint({ plan, point, source, folder, store }, options);
        if (record) ended.send(record);
      }).then(
        () => ended.end(),
        (error) => {
          failed.abort();
          ended.fail(error);
        },
      );
      yield* ended;
    },
    detach,
  };
}
