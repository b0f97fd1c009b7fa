import { readFileSync } from "node:fs";
import path from "node:path";
import { strToU8, type Zippable, zipSync } from "fflate";
import * as v from "valibot";
import { parseNumbers, stringifyNumbers } from "../../base/json-numbers.ts";
import { jsonObject } from "../../base/json-schema.ts";
import { UserError } from "../../base/user-error.ts";
import { filesNamedBy, halftoneVersion, inputFiles, textsIn } from "../../notebook/identity.ts";
import { readNotebook } from "../../notebook/nbformat.ts";
import { readTextFile } from "../../notebook/read-text.ts";
import { driverArchive } from "../../ray/driver-archive.ts";

/** What the workers on a cluster run. It is stored as `training.json`, beside the folder `files` with the program and the files that it names. */
export type Training = v.InferOutput<typeof training>;

const training = v.object({
  /** The name of the script or notebook in `files`. */
  program: v.string(),
  /** A script's own arguments. */
  args: v.array(v.string()),
  /** A notebook's parameters. */
  parameters: jsonObject,
  /** The notebook's path as seen from its executed copy. */
  source: v.optional(v.string()),
  /** Seconds that workers wait for each other. */
  timeout: v.number(),
  version: v.string(),
  build: v.string(),
});

/** What train.py reads as job.json. */
export interface TrainJob {
  workers: number;
  /** How a node starts Halftone. */
  command: readonly string[];
  cpus: number;
  /** Environment variables of the workers. */
  env: Record<string, string>;
}

/** The folder of a Ray job: the driver, and the project that each worker unpacks. */
export function jobArchive(program: string, given: Omit<Training, "version" | "build">, job: TrainJob): Uint8Array {
  const folder = path.dirname(path.resolve(program));
  const named = {
    ...(program.endsWith(".ipynb") && inputFiles(readNotebook(program), folder)),
    ...filesNamedBy([given.program, ...given.args, ...textsIn(given.parameters)], folder),
  };
  const files: Zippable = { "training.json": strToU8(stringifyNumbers({ ...given, ...halftoneVersion() })) };
  for (const name of Object.keys(named)) files[`files/${name}`] = readFileSync(path.join(folder, name));
  return driverArchive("launch/ray/train.py", job, zipSync(files));
}

/** @throws UserError if there is none, or the program that wrote it was another build than this one */
export function readTraining(folder: string): Training {
  const text = readTextFile(path.join(folder, "training.json"), { wanted: "a training" });
  const parsed = v.safeParse(training, parseNumbers(text));
  if (!parsed.success) throw new UserError(`${folder} has no training: ${v.summarize(parsed.issues)}`);
  const { version, build } = parsed.output;
  const here = halftoneVersion();
  if (version !== here.version || build !== here.build)
    throw new UserError(
      `The training was started by halftone ${version} (build ${build}), but this machine has ${here.version} (build ${here.build}): install the same build.`,
      1,
    );
  return parsed.output;
}
