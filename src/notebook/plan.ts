import { readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { reading, whatIsAt } from "./read-text.ts";

export interface PlannedRun {
  input: string;
  /** Where the executed copy goes. */
  output: string;
}

export interface Plan {
  runs: PlannedRun[];
  /** The folder for the report, if a folder or several notebooks were given. */
  folder?: string;
}

/** Plans the runs for the command line's arguments: a notebook, several, or every notebook in a folder. */
export function planRuns(inputs: string[], out?: string): Plan {
  const [only] = inputs;
  if (inputs.length === 1 && !isFolder(only!)) return { runs: [{ input: only!, output: outputFor(only!, out) }] };
  if (out?.endsWith(".ipynb")) throw new UserError(`-o ${out} is one notebook, but several are run: give a folder.`);
  const folder = out ?? "report";
  const runs = inputs.flatMap(notebooksIn).map((input) => ({ input, output: path.join(folder, path.basename(input)) }));
  for (const [at, { input, output }] of runs.entries()) {
    if (path.resolve(input) === path.resolve(output)) {
      throw new UserError(
        `-o ${out} is the folder of the notebooks, which would be overwritten: choose another folder.`,
      );
    }
    const duplicate = runs.slice(0, at).find((other) => other.output === output);
    if (duplicate)
      throw new UserError(`${duplicate.input} and ${input} would both be written to ${output}: run them separately.`);
  }
  return { runs, folder };
}

function outputFor(input: string, out?: string): string {
  if (!input.endsWith(".ipynb")) throw new UserError(`${input} is not a notebook: its name must end in .ipynb.`);
  if (out === undefined) return input.replace(/\.ipynb$/, ".executed.ipynb");
  if (out.endsWith(".ipynb")) return out;
  if (/[\\/]$/.test(out) || isFolder(out, true)) return path.join(out, path.basename(input));
  throw new UserError(`-o ${out}: the executed notebook's name must end in .ipynb (or give an existing folder).`);
}

function notebooksIn(input: string): string[] {
  if (!isFolder(input)) return [input];
  const found = reading(input, { wanted: "a folder" }, () => readdirSync(input))
    .filter((name) => name.endsWith(".ipynb") && !name.endsWith(".executed.ipynb") && !name.startsWith("."))
    .sort()
    .map((name) => path.join(input, name));
  if (found.length === 0) throw new UserError(`There is no notebook (.ipynb) in the folder ${input}.`);
  return found;
}

function isFolder(place: string, optional = false): boolean {
  const found = whatIsAt(place, { wanted: optional ? "a place for results" : "a notebook or folder" });
  if (!found && !optional) throw new UserError(`There is no notebook or folder at ${place}.`);
  return found?.isDirectory() ?? false;
}
