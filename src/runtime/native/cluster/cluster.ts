import { isMainThread } from "node:worker_threads";

/** The workers of one training, each a process. */
export interface Cluster {
  /** The number of this worker, from 0. */
  rank: number;
  /** Where each worker's TensorFlow listens, `host:port`, in the order of ranks. */
  addresses: readonly string[];
  /** Seconds after which an exchange fails for which a worker does not come. */
  timeout: number;
}

/** The environment variables of a worker, which `halftone train` sets. */
const variables = { addresses: "HALFTONE_WORKERS", rank: "HALFTONE_RANK", timeout: "HALFTONE_TIMEOUT" } as const;

/** As PyTorch's NCCL process groups. */
export const DEFAULT_TIMEOUT = 600;

let read: { cluster: Cluster | undefined } | undefined;

/**
 * The cluster that this process belongs to; undefined where it works alone, and in other threads than the main one. The variables are
 * taken out of the environment, because processes that the worker starts are not the worker.
 *
 * @throws Error for variables that contradict each other
 */
export function ownCluster(): Cluster | undefined {
  if (!read) {
    read = { cluster: isMainThread ? parseCluster(process.env) : undefined };
    if (isMainThread) for (const name of Object.values(variables)) delete process.env[name];
  }
  return read.cluster;
}

/** The environment of one worker. */
export const clusterEnvironment = ({ rank, addresses, timeout }: Cluster): Record<string, string> => ({
  [variables.addresses]: addresses.join(","),
  [variables.rank]: `${rank}`,
  [variables.timeout]: `${timeout}`,
});

/** @throws Error for variables that contradict each other */
export function parseCluster(environment: Readonly<Record<string, string | undefined>>): Cluster | undefined {
  const list = environment[variables.addresses];
  if (!list) return undefined;
  const addresses = list.split(",");
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong !== undefined) throw new Error(`${variables.addresses} must be host:port,host:port,..., got "${wrong}"`);
  const rank = Number(environment[variables.rank] || Number.NaN);
  if (!(Number.isInteger(rank) && rank >= 0 && rank < addresses.length)) {
    throw new Error(
      `${variables.rank} must be from 0 to ${addresses.length - 1}, because ${variables.addresses} has ${addresses.length}, got "${environment[variables.rank] ?? ""}"`,
    );
  }
  const timeout = Number(environment[variables.timeout] ?? DEFAULT_TIMEOUT);
  if (!(timeout > 0)) {
    throw new Error(
      `${variables.timeout} must be a number of seconds above 0, got "${environment[variables.timeout]}"`,
    );
  }
  return { rank, addresses, timeout };
}

/** Whether a text is `host:port`. */
export function isAddress(text: string): boolean {
  const [, port] = /^[^:\s]+:(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) > 0 && Number(port) < 65536;
}
