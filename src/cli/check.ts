import path from "node:path";
import { checkNotebook, type NotebookReport } from "../../kernel/check/notebook.ts";
import { requireTypeScript } from "../notebook/language.ts";
import { readNotebook } from "../notebook/nbformat.ts";

/**
 * `halftone check`: prints the type errors of notebooks in the format of compilers, one per line: file, code cell (from 1),
 * line and column. Exit status 1 if there are errors, and 2 if a notebook could not be checked.
 */
export async function check(files: string[]): Promise<void> {
  const notebooks = files.map((file) => ({ file, notebook: readNotebook(file) }));
  let errors = 0;
  let unchecked = 0;
  for (const { file, notebook } of notebooks) {
    requireTypeScript(notebook, file);
    const report = await checkNotebook(notebook, path.dirname(path.resolve(file)));
    for (const note of report.notes) console.error(`${file}: ${note}`);
    unchecked += report.unchecked;
    errors += print(file, report);
  }
  const all = `${files.length} ${files.length === 1 ? "notebook" : "notebooks"}`;
  if (errors > 0) console.error(`${errors} ${errors === 1 ? "error" : "errors"} in ${all}`);
  else if (unchecked === 0) console.error(`no type errors in ${all}`);
  process.exitCode = unchecked > 0 ? 2 : errors > 0 ? 1 : 0;
}

function print(file: string, { problems }: NotebookReport): number {
  let errors = 0;
  for (const { cell, line, column, severity, code, message, reasons } of problems) {
    const name = code === undefined ? severity : `${severity} TS${code}`;
    console.log(
      [`${file}:cell[${cell}]:${line}:${column}: ${name}: ${message}`, ...reasons.map((each) => `  ${each}`)].join(
        "\n",
      ),
    );
    if (severity === "error") errors++;
  }
  return errors;
}
