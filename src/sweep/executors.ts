import { UserError } from "../base/user-error.ts";
import { rayAddress, rayToken } from "../ray/address.ts";
import type { Executor, Resources } from "./executor.ts";
import { localExecutor } from "./local.ts";
import { rayExecutor } from "./ray/ray-executor.ts";
import { slurmExecutor } from "./slurm/slurm.ts";

export interface ExecutorOptions {
  /** `--jobs`: points at a time. */
  jobs?: number;
  /** `--cpus`, `--gpus`, `--memory`: what each point may use. */
  resources: Resources;
  /** `--sbatch`: further options of Slurm's sbatch. */
  sbatch?: readonly string[];
  /** `--command`: how the nodes of a Ray cluster start Halftone. */
  command?: readonly string[];
  /** Starts this command again without a terminal and without `--detach`. Returns what to tell the user. */
  detachLocally: Executor["detach"];
}

/** The executor of `--on`. @throws UserError for an address that none has */
export function executorFor(on: string, options: ExecutorOptions): Executor {
  const { jobs, resources, sbatch = [], command = [], detachLocally } = options;
  const limited = jobs === undefined ? {} : { jobs };
  const onRay = /^ray\b/.test(on);
  if (on !== "slurm" && sbatch.length > 0)
    throw new UserError(`--sbatch has options of Slurm, but points run on ${on}: give --on slurm.`);
  if (!onRay && command.length > 0)
    throw new UserError(`--command is for a Ray cluster, but points run on ${on}: give --on ray://HOST.`);
  const [resource] = Object.keys(resources);
  if (on === "local" && resource !== undefined)
    throw new UserError(
      `--${resource} is for Slurm and Ray, but points run on this machine: --jobs N says how many of them share its cores.`,
    );
  if (on === "local") return localExecutor({ ...limited, detach: detachLocally });
  if (on === "slurm") return slurmExecutor({ ...limited, resources, sbatch });
  if (onRay) {
    const started = command.length > 0 ? { command } : {};
    return rayExecutor({ address: rayAddress(on), token: rayToken(), resources, ...limited, ...started });
  }
  throw new UserError(`--on ${on}: sweeps run on local, slurm or ray://HOST.`);
}
