import { setTimeout as sleep } from "node:timers/promises";
import { hasEnded, type JobState, type RayJobs, RayUnreachable } from "./jobs-api.ts";

/** How often the job's state is asked, in milliseconds. Its results do not wait for that: they are streamed. */
const INTERVAL = 2000;
/** How long the cluster may be unreachable, in milliseconds. */
const PATIENCE = 120_000;

/**
 * The messages of a job's driver, from its first on, until it prints `end`, the job ends without that, or `signal` aborts. `parse` gives the
 * message in a line of the log; undefined for a line that has none. Connections that end are opened again. Returns the last state; undefined if the cluster does not know the job.
 * @throws RayUnreachable if the cluster does not answer for two minutes
 */
export async function* followJob<Message extends { kind: string }>(
  jobs: RayJobs,
  id: string,
  parse: (line: string) => Message | undefined,
  signal: AbortSignal,
): AsyncGenerator<Message, JobState | undefined> {
  let read = 0;
  for (let streams = true; ; ) {
    const state = await patiently(() => jobs.state(id), signal);
    if (!state || signal.aborted) return state;
    const ended = hasEnded(state);
    const whole = ended || !streams;
    const lines = whole ? await patiently(() => jobs.log(id), signal) : untilItEnds(jobs, id, state, signal);
    let at = 0;
    try {
      for await (const line of lines) {
        if (at++ < read) continue;
        read = at;
        const message = parse(line);
        if (message) yield message;
        if (message?.kind === "end") return state;
      }
      streams = true;
    } catch (error) {
      // Where a stream cannot be had, for instance because of a proxy, the whole log is read in turns with the next try.
      if (whole || !(error instanceof RayUnreachable)) throw error;
      streams = false;
    }
    if (ended) return state;
    await sleep(INTERVAL / 2);
  }
}

async function* untilItEnds(
  jobs: RayJobs,
  id: string,
  { node }: JobState,
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (!node) return;
  const stop = new AbortController();
  const timer = setInterval(async () => {
    // A connection can be dead without an error: the stream ends also when the cluster does not answer.
    const state = await jobs.state(id).catch(() => undefined);
    if (!state || hasEnded(state)) stop.abort();
  }, INTERVAL);
  try {
    yield* jobs.follow(id, node, AbortSignal.any([signal, stop.signal]));
  } finally {
    clearInterval(timer);
  }
}

/** Asks again while the cluster cannot be reached. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const start = Date.now(); ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RayUnreachable) || signal.aborted || Date.now() - start > PATIENCE) throw error;
      await sleep(INTERVAL);
    }
  }
}
