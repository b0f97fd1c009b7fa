import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { writeWhole } from "../../base/files.ts";
import type { Resources, Sweep } from "../executor.ts";
import type { Point } from "../plan.ts";
import type { Store } from "../store.ts";
import { mostTasks, submit } from "./commands.ts";

/** One job array of a sweep. Task i runs the i-th point. It is kept in DIR/slurm, so that a later command finds its job. */
export interface Submission {
  /** The name of the job, by which the queue is searched. */
  name: string;
  job: string;
  points: string[];
}

export interface SlurmOptions {
  /** `--jobs`: tasks that run at once. */
  jobs?: number;
  resources: Resources;
  /** Further options of sbatch, for instance `--partition=gpu`. */
  sbatch: readonly string[];
}

/** Submits the points as one job array, or as several where the cluster's MaxArraySize is smaller. @throws UserError */
export async function submitPoints(
  sweep: Sweep,
  points: readonly Point[],
  options: SlurmOptions,
): Promise<Submission[]> {
  const most = Math.max(1, (await mostTasks()) - 1);
  const submitted: Submission[] = [];
  for (let from = 0; from < points.length; from += most)
    submitted.push(await submitArray(sweep, points.slice(from, from + most), options));
  return submitted;
}

/** The submissions to this folder, earlier ones first. */
export function earlierSubmissions(store: Store): Submission[] {
  const folder = store.file("slurm");
  const names = listed(folder).filter((name) => name.endsWith(".json"));
  return names.sort().flatMap((name) => {
    try {
      const parsed = v.safeParse(schema, JSON.parse(readFileSync(path.join(folder, name), "utf8")));
      return parsed.success ? [parsed.output] : [];
    } catch {
      return []; // Not a file of this program.
    }
  });
}

const schema = v.object({ name: v.string(), job: v.string(), points: v.array(v.string()) });

/** What a task wrote to its log, at most its last lines; undefined if it has no log here. */
export function taskLog(store: Store, { job }: Submission, index: number): string | undefined {
  try {
    return readFileSync(logFile(store, job, String(index)), "utf8")
      .trim()
      .split("\n")
      .slice(-5)
      .join("\n");
  } catch {
    return undefined;
  }
}

export const logFile = (store: Store, job: string, index: string) =>
  store.file(path.join("slurm", `${job}_${index}.log`));

async function submitArray(sweep: Sweep, points: readonly Point[], options: SlurmOptions): Promise<Submission> {
  const { store, plan } = sweep;
  const stamp = new Date().toISOString().replaceAll(/\D/g, "");
  const name = `halftone-${path.basename(plan.notebook, ".ipynb").replaceAll(/[^\w-]/g, "_")}-${stamp}`;
  const ids = points.map(({ id }) => id);
  const list = store.file(path.join("slurm", `${stamp}.txt`));
  const script = store.file(path.join("slurm", `${stamp}.sh`));
  writeWhole(list, `${ids.join("\n")}\n`);
  writeWhole(script, scriptFor(sweep, list));
  const { cpus, gpus, memory } = options.resources;
  const job = await submit([
    `--job-name=${name}`,
    `--array=0-${ids.length - 1}${options.jobs === undefined ? "" : `%${options.jobs}`}`,
    "--requeue",
    "--open-mode=append",
    `--output=${logFile(store, "%A", "%a")}`,
    `--chdir=${sweep.folder}`,
    ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
    ...(gpus === undefined ? [] : [`--gpus=${gpus}`]),
    ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory / 2 ** 20)}M`]),
    ...options.sbatch,
    script,
  ]);
  const submission = { name, job, points: ids };
  writeWhole(store.file(path.join("slurm", `${stamp}.json`)), `${JSON.stringify(submission)}\n`);
  return submission;
}

/** What each task runs. A task that Slurm starts again, after its node failed, leaves a point alone that has a record. */
function scriptFor({ store, folder, timeout }: Sweep, list: string): string {
  const command = [process.execPath, process.argv[1]!, "sweep-point", store.folder].map(quoted).join(" ");
  const options = [`--folder ${quoted(folder)}`, ...(timeout === undefined ? [] : [`--timeout ${timeout}`])].join(" ");
  return `#!/bin/sh
# One task of a sweep's job array, written by halftone.
id=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(list)})
: "\${TF_NUM_INTRAOP_THREADS:=\${SLURM_CPUS_PER_TASK:-1}}"
export TF_NUM_INTRAOP_THREADS
exec ${command} "$id" --missing ${options}
`;
}

/** For sh. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
