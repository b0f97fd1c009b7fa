import { setTimeout as after } from "node:timers/promises";
import { counted } from "../../base/counted.ts";
import { UserError } from "../../base/user-error.ts";
import type { Executor, Sweep } from "../executor.ts";
import type { Point } from "../plan.ts";
import { failedRecord, type PointRecord } from "../record.ts";
import { cancel, finalState, type QueuedTask, queued, requireSlurm } from "./commands.ts";
import {
  earlierSubmissions,
  logFile,
  type SlurmOptions,
  type Submission,
  submitPoints,
  taskLog,
} from "./submission.ts";

/** Milliseconds between looks for new results, and between questions to the controller. */
const LOOK = 500;
const ASK = 3000;
/** Milliseconds in which a file that a node has written appears here: network file systems keep listings for some seconds. */
const DELAY = 15_000;

/** States of a task that ended through its own point: the point has failed. After a failure of the node Slurm starts the task again (--requeue). */
const OWN_END = new Set(["OUT_OF_MEMORY", "TIMEOUT", "DEADLINE", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED"]);
/** Reasons of waiting that do not pass by themselves. */
const STUCK =
  /held|Held|BadConstraints|NeverSatisfied|InvalidAccount|InvalidQOS|PartitionConfig|PartitionDown|PartitionInactive|AssocMax/;

/** Runs points as tasks of a job array of Slurm. The sweep's folder and the notebook's must be on a file system that all nodes share. */
export function slurmExecutor(options: SlurmOptions): Executor {
  return {
    place: "Slurm",
    check: requireSlurm,
    async *run(sweep, points, { signal }) {
      const { active, own } = await submitMissing(sweep, points, options);
      for (const { submission, ids } of active)
        sweep.say(`Following job ${submission.job} of Slurm, with ${counted(ids.size, "point")}.`);
      for (const { job, points: ids } of own)
        sweep.say(`Submitted job ${job} to Slurm, with ${counted(ids.length, "point")}.`);
      const followed = [...active.map(({ submission }) => submission), ...own];
      try {
        yield* follow(sweep, points, followed, signal);
      } finally {
        // Ctrl-C while following a detached sweep ends only the following.
        const ended = signal.reason === "signal" ? own : followed;
        await Promise.all(ended.map(({ name }) => cancel(name)));
      }
    },
    async detach(sweep, points) {
      const { active, own } = await submitMissing(sweep, points, options);
      const jobs = [...active.map(({ submission }) => submission), ...own].map(({ job }) => job);
      return `Slurm runs ${counted(points.length, "point")} as job ${jobs.join(", ")}; scancel ${jobs.join(" ")} stops ${points.length === 1 ? "it" : "them"}.`;
    },
  };
}

/** An earlier submission that still has tasks of a sweep's points in the queue, with those points. */
interface Active {
  submission: Submission;
  ids: Set<string>;
}

/** Submits those points that no earlier submission has in the queue. @throws UserError */
async function submitMissing(
  sweep: Sweep,
  points: readonly Point[],
  options: SlurmOptions,
): Promise<{ active: Active[]; own: Submission[] }> {
  const active = await activeSubmissions(sweep, points);
  const known = new Set(active.flatMap(({ ids }) => [...ids]));
  const missing = points.filter(({ id }) => !known.has(id));
  return { active, own: missing.length === 0 ? [] : await submitPoints(sweep, missing, options) };
}

async function activeSubmissions({ store }: Sweep, points: readonly Point[]): Promise<Active[]> {
  const wanted = new Set(points.map(({ id }) => id));
  const found: Active[] = [];
  for (const submission of earlierSubmissions(store)) {
    if (!submission.points.some((id) => wanted.has(id))) continue;
    const tasks = await queued(submission.name);
    const ids = new Set(tasks.flatMap(({ index }) => submission.points[index] ?? []).filter((id) => wanted.has(id)));
    if (ids.size > 0) found.push({ submission, ids });
  }
  return found;
}

/** Yields each point's record when it appears in the store. */
async function* follow(
  sweep: Sweep,
  points: readonly Point[],
  submissions: readonly Submission[],
  signal: AbortSignal,
): AsyncGenerator<PointRecord> {
  const missing = new Map(points.map((point) => [point.id, point]));
  /** When a task was first seen to be gone from the queue without a result. */
  const gone = new Map<string, number>();
  const queue = new Queue(sweep, submissions);
  let nextAsk = 0;
  while (missing.size > 0 && !signal.aborted) {
    for (const id of [...missing.keys()]) {
      const record = sweep.store.record(id);
      if (!record) continue;
      missing.delete(id);
      yield record;
      if (signal.aborted) return;
    }
    if (missing.size > 0 && performance.now() >= nextAsk) {
      const active = await queue.ask();
      nextAsk = performance.now() + ASK;
      for (const point of active === undefined ? [] : missing.values()) {
        if (active!.has(point.id)) gone.delete(point.id);
        else if (!gone.has(point.id)) gone.set(point.id, performance.now());
      }
    }
    for (const [id, since] of gone) {
      const point = missing.get(id);
      if (!point || performance.now() - since < DELAY || sweep.store.record(id)) continue;
      gone.delete(id);
      missing.delete(id);
      const record = await lost(sweep, point, submissions);
      if (record) yield record;
    }
    await after(LOOK, undefined, { signal }).catch(() => {});
  }
}

/** What a task means that ended without a result. Undefined for one that somebody cancelled: its point stays without a record. @throws UserError */
async function lost(sweep: Sweep, point: Point, submissions: readonly Submission[]): Promise<PointRecord | undefined> {
  const submission = submissions.findLast(({ points }) => points.includes(point.id))!;
  const index = submission.points.indexOf(point.id);
  const task = `Task ${index} of job ${submission.job}`;
  const state = (await finalState(submission.job, index)) ?? "UNKNOWN";
  const log = taskLog(sweep.store, submission, index);
  if (state.startsWith("CANCELLED")) {
    sweep.say(`${task} was cancelled; the same command runs its point.`);
    return undefined;
  }
  // Without accounting, Slurm forgets a task that was cancelled before it began. If other tasks wrote their results, the folder is shared.
  if (state === "UNKNOWN" && log === undefined && submission.points.some((id) => sweep.store.record(id))) {
    sweep.say(`${task} left the queue before it began, perhaps by scancel; the same command runs its point.`);
    return undefined;
  }
  if (OWN_END.has(state)) {
    const record = failedRecord(
      point,
      { name: state, message: `Slurm ended the task${log ? `: ${log}` : ""}` },
      new Date(),
    );
    sweep.store.save(record);
    return record;
  }
  const file = logFile(sweep.store, submission.job, String(index));
  const why =
    log === undefined
      ? `It left no log ${file} either: it was cancelled before it began, or ${sweep.store.folder} is not on a file system that all nodes share.`
      : log || `Its log ${file} is empty.`;
  throw new UserError(`${task} ended (${state}) without a result. ${why}`, 1);
}

/** Asks the controller which points wait or run, and tells the user what does not pass by itself. */
class Queue {
  readonly #sweep: Sweep;
  readonly #submissions: readonly Submission[];
  readonly #told = new Set<string>();

  constructor(sweep: Sweep, submissions: readonly Submission[]) {
    this.#sweep = sweep;
    this.#submissions = submissions;
  }

  /** The ids of points that wait or run; undefined if the controller does not answer at the moment. */
  async ask(): Promise<Set<string> | undefined> {
    const active = new Set<string>();
    for (const submission of this.#submissions) {
      let tasks: QueuedTask[];
      try {
        tasks = await queued(submission.name);
      } catch (error) {
        this.#tell(`${(error as Error).message}. Waiting for it.`);
        return undefined;
      }
      for (const { index, reason } of tasks) {
        const id = submission.points[index];
        if (id !== undefined) active.add(id);
        if (STUCK.test(reason))
          this.#tell(
            `Job ${submission.job} waits with the reason "${reason}", which may need an action of yours: scontrol show job ${submission.job}`,
          );
      }
    }
    return active;
  }

  #tell(message: string): void {
    if (!this.#told.has(message)) this.#sweep.say(message);
    this.#told.add(message);
  }
}
