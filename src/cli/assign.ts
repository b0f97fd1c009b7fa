import { cpSync, readdirSync } from "node:fs";
import path from "node:path";
import { refusing } from "../base/files.ts";
import { UserError } from "../base/user-error.ts";
import { studentVersion } from "../notebook/assignment.ts";
import { readNotebook, writeNotebook } from "../notebook/nbformat.ts";
import { reading, whatIsAt } from "../notebook/read-text.ts";

/** `halftone assign`: makes the student version of a notebook, or of a folder with an assignment's notebooks and other files. */
export function assign(source: string, { output }: { output: string }): void {
  const found = whatIsAt(source, { wanted: "a notebook or folder" });
  if (!found) throw new UserError(`There is no notebook or folder at ${source}.`);
  if (path.resolve(source) === path.resolve(output))
    throw new UserError(`-o ${output} is the source itself, whose solutions would be lost: choose another location.`);
  if (found.isDirectory()) assignFolder(source, output);
  else assignNotebook(source, output.endsWith(".ipynb") ? output : path.join(output, path.basename(source)));
}

function assignFolder(source: string, output: string): void {
  if (output.endsWith(".ipynb")) throw new UserError(`-o ${output} is one notebook, but ${source} is a folder.`);
  const names = reading(source, { wanted: "a folder" }, () => readdirSync(source)).filter(
    (name) => !IGNORED.test(name),
  );
  const notebooks = names.filter((name) => name.endsWith(".ipynb"));
  if (notebooks.length === 0) throw new UserError(`There is no notebook (.ipynb) in the folder ${source}.`);
  // All notebooks are converted first, so that nothing is written if one of them is refused.
  const versions = notebooks.map(
    (name) => [name, studentVersion(readNotebook(path.join(source, name)), name)] as const,
  );
  for (const [name, version] of versions) {
    writeNotebook(path.join(output, name), version);
    console.log(path.join(output, name));
  }
  for (const name of names.filter((each) => !notebooks.includes(each)))
    refusing(path.join(output, name), () =>
      cpSync(path.join(source, name), path.join(output, name), { recursive: true }),
    );
}

/** Files that nbgrader does not distribute either. */
const IGNORED = /^(\.ipynb_checkpoints|__pycache__|feedback|node_modules|.*\.pyc)$/;

function assignNotebook(source: string, output: string): void {
  writeNotebook(output, studentVersion(readNotebook(source), source));
  console.log(output);
}
