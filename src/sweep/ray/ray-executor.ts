import { randomBytes } from "node:crypto";
import { unzipSync } from "fflate";
import { parseNumbers } from "../../base/json-numbers.ts";
import { UserError } from "../../base/user-error.ts";
import { parseNotebook } from "../../notebook/nbformat.ts";
import { runRecord } from "../../notebook/record.ts";
import { recordedVariables } from "../../notebook/variables.ts";
import type { RayAddress, Token } from "../../ray/address.ts";
import { followJob } from "../../ray/follow-job.ts";
import { hasEnded, type JobState, RayJobs, reasonOf } from "../../ray/jobs-api.ts";
import type { Executor, Resources, Sweep } from "../executor.ts";
import type { Point } from "../plan.ts";
import { failedRecord, type PointRecord, parseRecord } from "../record.ts";
import { sourcePath } from "../run-point.ts";
import { forgetJob, jobArchive, rememberJob, resourcesOf, type StartedJob, startedJobOf } from "./job-files.ts";
import { type Ended, parseMessage, ResultParts } from "./messages.ts";

export interface RayOptions {
  address: RayAddress;
  token: Token | undefined;
  resources: Resources;
  /** Points at a time (default: as many as the nodes can run). */
  jobs?: number;
  /** How a node starts Halftone (default: `halftone`). */
  command?: readonly string[];
}

/** How often a point is tried again whose node was lost, and a job whose driver was. */
const RETRIES = 3;

/** Runs points as tasks of one Ray job, whose driver (driver.py) prints every result into the job's log, which is followed. */
export function rayExecutor({ address, token, resources, jobs: atOnce, command = ["halftone"] }: RayOptions): Executor {
  const jobs = new RayJobs(address, token);
  const place = address.name;

  async function start(sweep: Sweep, points: readonly Point[], detached = false): Promise<StartedJob> {
    const { CUDA_VISIBLE_DEVICES: _, ...env } = recordedVariables(process.env);
    const archive = jobArchive(sweep, {
      points: points.map(({ id }) => id),
      command,
      jobs: atOnce ?? null,
      timeout: sweep.timeout ?? null,
      ...resourcesOf(resources),
      retries: RETRIES,
      env,
    });
    const workingDir = await jobs.upload(archive);
    const job = {
      address: place,
      id: `halftone-${randomBytes(6).toString("hex")}`,
      points: points.map(({ id }) => id),
      detached,
    };
    // Before it starts, so that no job is forgotten where this process ends now.
    rememberJob(sweep, job);
    const metadata = { notebook: sweep.plan.notebook, points: String(points.length) };
    await jobs.submit({ id: job.id, entrypoint: "python3 driver.py", workingDir, metadata });
    return job;
  }

  /** Stores and yields what the job finds for `open`, and removes it from there. Returns how the job ended. @throws UserError if it ran no point */
  async function* results(
    sweep: Sweep,
    { id }: StartedJob,
    open: Map<string, Point>,
    signal: AbortSignal,
  ): AsyncGenerator<PointRecord, JobState | undefined> {
    const begin = new Date();
    const parts = new ResultParts();
    const messages = followJob(jobs, id, parseMessage, signal);
    try {
      for (;;) {
        const { done, value: message } = await messages.next();
        if (done) return message;
        if (message.kind === "refused") throw refused(sweep, message.problems);
        const ended = parts.add(message);
        const point = ended && open.get(ended.id);
        if (!point) continue;
        const record = storeResult(sweep, point, ended, begin);
        open.delete(point.id);
        yield record;
      }
    } finally {
      // Ends the stream of the log also where a result cannot be stored.
      await messages.return(undefined);
    }
  }

  /** Ends the job, and stores what ended before that. */
  async function stop(sweep: Sweep, job: StartedJob, open: Map<string, Point>): Promise<void> {
    await jobs.stop(job.id);
    for await (const _ of results(sweep, job, open, new AbortController().signal));
    forgetJob(sweep);
  }

  return {
    place,

    async check() {
      await jobs.version();
    },

    async *run(sweep, points, { signal }) {
      const open = new Map(points.map((point) => [point.id, point]));
      let earlier = startedJobOf(sweep, points);
      if (earlier) sweep.say(`Following job ${earlier.id} of ${earlier.address}, which was started earlier`);
      for (let failures = 0; open.size > 0 && !signal.aborted; ) {
        const before = open.size;
        const job = earlier ?? (await start(sweep, [...open.values()]));
        const state = yield* results(sweep, job, open, signal);
        if (signal.aborted) {
          if (!job.detached) return await stop(sweep, job, open);
          return sweep.say(`Job ${job.id} goes on: \`ray job stop ${job.id}\` stops it.`);
        }
        forgetJob(sweep);
        if (open.size === 0) return;
        const why = state ? reasonOf(state) : "the cluster does not know it";
        const missing = `${open.size} of ${points.length} points are missing`;
        if (state?.status === "STOPPED" && !earlier)
          throw new UserError(
            `Job ${job.id} was stopped on the cluster, and ${missing}: run the same command again.`,
            1,
          );
        failures = open.size < before || earlier ? 0 : failures + 1;
        if (failures >= RETRIES)
          throw new UserError(`Job ${job.id} ended ${RETRIES} times without a result (${why}), and ${missing}.`, 1);
        sweep.say(`Job ${job.id} has ended (${why}), and ${missing}: they are started again`);
        earlier = undefined;
      }
    },

    async detach(sweep, points) {
      const open = new Map(points.map((point) => [point.id, point]));
      const earlier = startedJobOf(sweep, points);
      const state = earlier && (await jobs.state(earlier.id));
      if (state && !hasEnded(state))
        throw new UserError(`Job ${earlier.id} of ${place} already runs these points: follow it without --detach.`);
      if (state) for await (const _ of results(sweep, earlier, open, new AbortController().signal));
      if (open.size === 0) {
        forgetJob(sweep);
        return `Job ${earlier!.id} had run all points.`;
      }
      const job = await start(sweep, [...open.values()], true);
      for await (const message of followJob(jobs, job.id, parseMessage, new AbortController().signal)) {
        if (message.kind === "nodes") break;
        if (message.kind === "refused") throw refused(sweep, message.problems);
      }
      return `Job ${job.id} runs ${job.points.length} points on ${place}. \`ray job stop ${job.id}\` stops it.`;
    },
  };
}

/** The error for a job that ran no point. It is forgotten, because following it again would find the same. */
function refused(sweep: Sweep, problems: readonly string[]): UserError {
  forgetJob(sweep);
  return new UserError(problems.join("\n"), 1);
}

function storeResult(
  { plan, folder, store }: Sweep,
  point: Point,
  { archive, host, message }: Ended,
  begin: Date,
): PointRecord {
  const files = archive.length > 0 ? unzipSync(archive) : {};
  const text = (name: string) => (files[name] ? Buffer.from(files[name]).toString() : undefined);
  const [json, notebook] = [text(`${point.id}.json`), text(`${point.id}.ipynb`)];
  const stored = json === undefined ? undefined : parseRecord(parseNumbers(json));
  const why = { name: "RayError", message: message ?? "the node sent a record that cannot be read" };
  const record = stored ?? { ...failedRecord(point, why, begin), host };
  const executed = notebook === undefined ? undefined : parseNotebook(notebook, `${point.id}.ipynb`);
  const run = executed && runRecord(executed);
  // The node had the notebook elsewhere.
  if (executed && run?.source) {
    const source = { ...run.source, path: sourcePath({ plan, point, folder, store }) };
    executed.metadata.halftone = Object.assign({}, executed.metadata.halftone, { source });
  }
  store.save(record, executed);
  return record;
}
