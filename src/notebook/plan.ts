import { readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { reading, whatIsAt } from "./read-text.ts";

export interface Planned {
  input: string;
  /** Where the executed copy goes. */
  output: string;
}

export interface Plan {
  runs: Planned[];
  /** Where the reports go, when a folder or several notebooks were named. */
  folder?: string;
}

/** Turns what was named on the command line into runs: a notebook, several, or every notebook in a folder. */
export function planRuns(inputs: string[], out?: string): Plan {
  const [only] = inputs;
  if (inputs.length === 1 && !isFolder(only!)) return { runs: [{ input: only!, output: outputFor(only!, out) }] };
  if (out?.endsWith(".ipynb")) throw new UserError(`-o ${out} is one notebook, but several are run: name a folder.`);
  const folder = out ?? "report";
  const runs = inputs.flatMap(notebooksIn).map((input) => ({ input, output: path.join(folder, path.basename(input)) }));
  for (const [at, { input, output }] of runs.entries()) {
    if (path.resolve(input) === path.resolve(output)) {
      throw new UserError(
        `-o ${out} is the folder of the notebooks themselves: name another, or they would be overwritten.`,
      );
    }
    const twin = runs.slice(0, at).find((other) => other.output === output);
    if (twin)
      throw new UserError(`${twin.input} and ${input} have one name and would share ${output}: run them apart.`);
  }
  return { runs, folder };
}

function outputFor(input: string, out?: string): string {
  if (!input.endsWith(".ipynb")) throw new UserError(`${input} is not a notebook: its name should end in .ipynb.`);
  if (out === undefined) return input.replace(/\.ipynb$/, ".executed.ipynb");
  if (out.endsWith(".ipynb")) return out;
  if (/[\\/]$/.test(out) || isFolder(out, true)) return path.join(out, path.basename(input));
  throw new UserError(`-o ${out}: the executed notebook's name should end in .ipynb (or name a folder that exists).`);
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

function isFolder(place: string, mayLack = false): boolean {
  const found = whatIsAt(place, { wanted: mayLack ? "a place for results" : "a notebook or folder" });
  if (!found && !mayLack) throw new UserError(`There is no notebook or folder at ${place}.`);
  return found?.isDirectory() ?? false;
}
