import path from "node:path";
import { requireWritable } from "../base/files.ts";
import { UserError } from "../base/user-error.ts";
import { silentCopy, startNotebook } from "../launch/notebook-worker.ts";
import type { StartedWorker } from "../launch/run-workers.ts";
import { startScript } from "../launch/script-worker.ts";
import { readNotebook, writeNotebook } from "../notebook/nbformat.ts";
import { type GivenParameters, givenParameters, injectParameters, type Parameters } from "../notebook/parameters.ts";
import { planRuns } from "../notebook/plan.ts";
import { whatIsAt } from "../notebook/read-text.ts";
import { ProgressBoard } from "./cell-progress.ts";

/** What each worker of a training runs. */
export type TrainProgram = { kind: "script"; file: string; args: readonly string[] } | NotebookProgram;

interface NotebookProgram {
  kind: "notebook";
  file: string;
  parameters: Parameters;
  /** Where the executed copy goes, and the notebook's path as seen from there. */
  output: string;
  source: string;
}

export interface ProgramFlags extends GivenParameters {
  /** The executed notebook. */
  output?: string;
}

/** Checks what the command line says of a script or notebook. @throws UserError */
export function trainProgram(file: string, args: readonly string[], flags: ProgramFlags): TrainProgram {
  if (!whatIsAt(file, { wanted: "a script or notebook" })?.isFile())
    throw new UserError(`There is no script or notebook at ${file}.`);
  if (!file.endsWith(".ipynb")) {
    const wrong = (["parameter", "raw", "parametersFile", "output"] as const).find((name) => flags[name] !== undefined);
    if (wrong)
      throw new UserError(
        `A script takes no ${wrong}, which is for notebooks: give its arguments after --, as in -- --rate 0.1`,
      );
    return { kind: "script", file, args };
  }
  if (args.length > 0) throw new UserError(`A notebook takes no arguments: set parameters by -p NAME=VALUE.`);
  const { output } = planRuns([file], flags.output).runs[0]!;
  requireWritable(output);
  const parameters = givenParameters(flags);
  injectParameters(readNotebook(file), parameters, file);
  const source = path.relative(path.dirname(path.resolve(output)), path.resolve(file)).replaceAll("\\", "/");
  return { kind: "notebook", file, parameters, output, source };
}

export type Starter = (rank: number, env: NodeJS.ProcessEnv) => StartedWorker;

export function starterOf(program: TrainProgram): Starter {
  if (program.kind === "script") return (rank, env) => startScript(program.file, program.args, rank, env);
  const { file, parameters, output, source } = program;
  const notebook = readNotebook(file);
  const board = new ProgressBoard();
  return (rank, env) => {
    const isFirst = rank === 0;
    const own = isFirst ? notebook : silentCopy(notebook);
    const progress = board.notebook(isFirst ? undefined : `worker ${rank}`);
    return startNotebook(own, rank, {
      name: file,
      folder: path.dirname(path.resolve(file)),
      env,
      parameters,
      ...(isFirst && {
        source,
        onCellStart: progress.start,
        onCellEnd: progress.end,
        onChange: () => writeNotebook(output, own),
      }),
    });
  };
}
