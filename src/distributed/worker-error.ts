import type { Cluster } from "../runtime/native/cluster/cluster.ts";
import type { Answer, Told } from "./peer-messages.ts";

/** An exchange failed because of other workers. No exchange is possible after it: this process can only save its work and end. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
  /** The ranks of the workers that have ended, do not answer, or are late; empty where none was found. */
  readonly ranks: readonly number[];

  /** An error with a message, the ranks that it names, and TensorFlow's own error. */
  constructor(message: string, ranks: readonly number[], cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.ranks = ranks;
  }
}

/** For a worker that never came. */
export function missingError({ addresses, timeout }: Cluster, ranks: readonly number[]): WorkerError {
  const who = ranks.map((rank) => `worker ${rank}`).join(" and ");
  const where = ranks.map((rank) => addresses[rank]).join(" or ");
  return new WorkerError(`${who} did not start: nothing listened at ${where} within ${timeout} s`, ranks);
}

/** For an exchange that failed, by what the other workers answered. */
export function exchangeError(
  cluster: Cluster,
  own: Told,
  answers: ReadonlyMap<number, Answer>,
  cause: unknown,
): WorkerError {
  const found = [...answers].flatMap(([rank, answer]) => {
    const text = faultOf(own, answer, cluster.timeout);
    return text ? [{ rank, answer, text: `worker ${rank} (${cluster.addresses[rank]}) ${text}` }] : [];
  });
  // Where an exchange failed in another worker too, that one is not the reason.
  const reasons = found.filter(({ answer }) => answer !== "failed");
  const named = reasons.length > 0 ? reasons : found;
  const why = named.map(({ text }) => text).join("; ") || (cause instanceof Error ? cause.message : `${cause}`);
  return new WorkerError(
    `${own.label} failed in worker ${cluster.rank}: ${why}`,
    named.map(({ rank }) => rank),
    // What TensorFlow says of an exchange that another worker did not come to explains nothing.
    named.length > 0 ? undefined : cause,
  );
}

function faultOf(own: Told, answer: Answer, timeout: number): string | undefined {
  if (answer === "ended" || answer === "refused") return "has ended";
  if (answer === "silent") return "does not answer";
  if (answer === "failed") return "has given up, because an exchange failed there";
  if (answer === "connected") return undefined;
  const { exchanges, label } = answer;
  if (exchanges < own.exchanges) {
    return `is late: it did not come within ${timeout} s, its last exchange was number ${exchanges}, ${label}, and this is number ${own.exchanges}`;
  }
  if (exchanges === own.exchanges && label !== own.label) return `came to another exchange: ${label}`;
  return undefined;
}
