import { randomBytes } from "node:crypto";
import { inflateSync } from "node:zlib";
import { UserError } from "../../base/user-error.ts";
import type { RayAddress, Token } from "../../ray/address.ts";
import { followJob } from "../../ray/follow-job.ts";
import { type JobState, RayJobs, RayUnreachable, reasonOf } from "../../ray/jobs-api.ts";
import { Parts } from "../../ray/messages.ts";
import { parseMessage, type TrainMessage } from "./messages.ts";

export interface RayTraining {
  address: RayAddress;
  token: Token | undefined;
  /** What `jobArchive` gave. */
  archive: Uint8Array;
  /** The script's or notebook's name, for those who look at the cluster's jobs. */
  program: string;
}

/** What becomes of a training's results. */
export interface RayTrainingEvents {
  say: (message: string) => void;
  /** The workers start, on these hosts in the order of ranks. */
  onStart: (hosts: readonly string[]) => void;
  onOutput: (stream: "stdout" | "stderr", text: string) => void;
  /** The executed notebook of the first worker. */
  onNotebook: (text: string) => void;
}

/**
 * Runs a training as one Ray job, whose driver (train.py) prints the workers' output into the job's log, which is followed. Stops the job
 * when `signal` aborts.
 *
 * @throws UserError if the cluster refuses it or cannot be reached, a node lacks something, and where a worker failed
 */
export async function trainOnRay(
  { address, token, archive, program }: RayTraining,
  events: RayTrainingEvents,
  signal: AbortSignal,
): Promise<void> {
  const jobs = new RayJobs(address, token);
  await jobs.version();
  const workingDir = await jobs.upload(archive);
  if (signal.aborted) return;
  const id = `halftone-${randomBytes(6).toString("hex")}`;
  await jobs.submit({ id, entrypoint: "python3 train.py", workingDir, metadata: { program } });
  try {
    await follow(jobs, id, events, signal);
    if (!signal.aborted) return;
    await jobs.stop(id);
    events.say(`Job ${id} of ${address.name} is stopped.`);
  } catch (error) {
    if (!(error instanceof RayUnreachable)) throw error;
    throw new UserError(`${error.message} Job ${id} may still run there: \`ray job stop ${id}\` stops it.`, 1);
  }
}

/** @throws UserError where no worker ran or one failed */
async function follow(jobs: RayJobs, id: string, events: RayTrainingEvents, signal: AbortSignal): Promise<void> {
  const messages = followJob(jobs, id, parseMessage, signal);
  const parts = new Parts();
  let failure: UserError | undefined;
  try {
    for (;;) {
      const { done, value } = await messages.next();
      if (done && signal.aborted) return;
      if (done) throw failure ?? endedEarly(id, value);
      if (value.kind === "end") break;
      if (value.kind === "refused") throw new UserError(value.problems.join("\n"), 1);
      if (value.kind === "failed") failure = new UserError(`Worker ${value.rank} on ${value.host} ${value.fault}.`, 1);
      if (value.kind === "part") parts.add(value);
      tell(value, parts, events);
    }
  } finally {
    // Ends the stream of the log.
    await messages.return(undefined);
  }
  if (failure) throw failure;
}

function endedEarly(id: string, state: JobState | undefined): UserError {
  const why = state ? reasonOf(state) : "the cluster does not know it";
  return new UserError(`Job ${id} has ended before its workers did: ${why}.`, 1);
}

function tell(message: TrainMessage, parts: Parts, { say, onStart, onOutput, onNotebook }: RayTrainingEvents): void {
  if (message.kind === "waiting") say("Waiting for CPUs that other jobs of the cluster use");
  if (message.kind === "started") onStart(message.hosts);
  if (message.kind === "output") onOutput(message.stream, message.text);
  if (message.kind !== "notebook") return;
  const notebook = parts.take("notebook", message.size);
  if (notebook) onNotebook(inflateSync(notebook).toString());
}
