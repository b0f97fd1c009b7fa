import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { strToU8, type Zippable, zipSync } from "fflate";
import * as v from "valibot";
import { writeWhole } from "../../base/files.ts";
import { stringifyNumbers } from "../../base/json-numbers.ts";
import { driverArchive } from "../../ray/driver-archive.ts";
import type { Resources, Sweep } from "../executor.ts";
import type { Point } from "../plan.ts";

/** What driver.py reads as job.json. */
export interface DriverJob {
  points: string[];
  /** How a node starts Halftone. */
  command: readonly string[];
  /** Points at a time; null for as many as the nodes can run. */
  jobs: number | null;
  /** The time limit of each cell, in seconds. */
  timeout: number | null;
  cpus: number;
  gpus: number;
  memory: number;
  /** How often a point is tried again whose node or process was lost. */
  retries: number;
  /** Environment variables of the points. */
  env: Record<string, string>;
}

/** The folder of a Ray job: the driver, what it is to run, and the notebook with its files, as `halftone sweep-point` expects them. */
export const jobArchive = (sweep: Sweep, job: DriverJob): Uint8Array =>
  driverArchive("sweep/ray/driver.py", job, projectArchive(sweep));

/** Files have one date, so that Ray sees that it has an archive already. */
const DATE = { mtime: new Date(2000, 0, 1) };

function projectArchive({ plan, store, folder }: Sweep): Uint8Array {
  const files: Zippable = {
    "plan.json": [strToU8(stringifyNumbers({ ...plan, folder: "files" })), DATE],
    "source.ipynb": [readFileSync(store.sourceFile), DATE],
    "files/": [new Uint8Array(), DATE],
  };
  for (const name of Object.keys(plan.identity.inputs))
    files[`files/${name}`] = [readFileSync(path.join(folder, name)), DATE];
  return zipSync(files);
}

export const resourcesOf = ({ cpus = 1, gpus = 0, memory = 0 }: Resources) => ({ cpus, gpus, memory });

/** A job that was started for a sweep's folder and whose results were not all received. It is stored in the folder as `ray.json`. */
export interface StartedJob {
  /** The cluster: `ray://head:8265`. */
  address: string;
  id: string;
  points: string[];
  /** Whether it goes on when a command that follows it is stopped. */
  detached: boolean;
}

const startedJob = v.object({
  address: v.string(),
  id: v.string(),
  points: v.array(v.string()),
  detached: v.boolean(),
});

const fileOf = ({ store }: Sweep) => path.join(store.folder, "ray.json");

export function rememberJob(sweep: Sweep, job: StartedJob): void {
  writeWhole(fileOf(sweep), `${JSON.stringify(job)}\n`);
}

export function forgetJob(sweep: Sweep): void {
  rmSync(fileOf(sweep), { force: true });
}

/** The job that an earlier command started for these points and did not follow to its end. */
export function startedJobOf(sweep: Sweep, points: readonly Point[]): StartedJob | undefined {
  try {
    const job = v.parse(startedJob, JSON.parse(readFileSync(fileOf(sweep), "utf8")));
    return points.some(({ id }) => job.points.includes(id)) ? job : undefined;
  } catch {
    return undefined;
  }
}
