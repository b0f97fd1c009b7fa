import { UserError } from "../base/user-error.ts";
import { hostsPlacement, localPlacement, type Placement } from "../launch/hosts.ts";
import { runWorkers } from "../launch/run-workers.ts";
import { workerEnvironment } from "../launch/worker-environment.ts";
import { DEFAULT_TIMEOUT } from "../runtime/native/cluster/cluster.ts";
import { stopOnSignal } from "./stop.ts";
import { type ProgramFlags, starterOf, type TrainProgram, trainProgram } from "./train-program.ts";
import { type RayFlags, trainOnCluster } from "./train-ray.ts";

export interface TrainFlags extends ProgramFlags, RayFlags {
  workers?: number;
  /** A file with the hosts of all workers. */
  hosts?: string;
  /** This machine's name in that file. */
  host?: string;
  /** Seconds that workers wait for each other. */
  timeout?: number;
}

/** `halftone train`: exit status 1 if a worker failed, 130 if the training was interrupted. */
export async function train(file: string, args: string[], flags: TrainFlags): Promise<void> {
  const { workers, hosts, on, timeout = DEFAULT_TIMEOUT } = flags;
  if ((workers === undefined) === (hosts === undefined))
    throw new UserError("Give either --workers N, on this machine or with --on ray://HOST, or --hosts FILE.");
  const clusterOnly = (["on", "cpus", "command"] as const).find((name) => flags[name] !== undefined);
  if (clusterOnly && (on === undefined || workers === undefined))
    throw new UserError(`--${clusterOnly} is for a Ray cluster: give --workers N --on ray://HOST.`);
  const program = trainProgram(file, args, flags);
  if (on !== undefined) await trainOnCluster(program, { ...flags, on, workers: workers!, timeout });
  else
    await trainHere(
      program,
      workers ? await localPlacement(workers) : await hostsPlacement(hosts!, flags.host),
      timeout,
    );
}

async function trainHere(program: TrainProgram, placement: Placement, timeout: number): Promise<void> {
  const { own, addresses } = placement;
  const environments = await Promise.all(own.map((rank) => workerEnvironment(placement, rank, timeout)));
  const cores = environments[0]!.TF_NUM_INTRAOP_THREADS;
  if (addresses.length > 1) {
    const here = own.length < addresses.length ? `, ${own.join(", ")} of them on this machine` : "";
    console.error(
      `${addresses.length} workers${here}${cores ? `, with ${cores} ${cores === "1" ? "thread" : "threads"} each` : ""}`,
    );
  }
  const start = starterOf(program);
  const stop = stopOnSignal();
  await runWorkers(
    own.map((rank, i) => start(rank, environments[i]!)),
    stop.signal,
  );
  process.exitCode = stop.exitCode();
}
