import { checkNotebook, type NotebookReport } from "../../kernel/check/notebook.ts";
import { checkOrder, type OrderReport } from "../../kernel/check/order/notebook-order.ts";
import { counted } from "../base/counted.ts";
import { requireTypeScript } from "../notebook/language.ts";
import { readNotebook } from "../notebook/nbformat.ts";

/**
 * `halftone check`: prints the type errors of notebooks in the format of compilers, one per line: file, code cell (from 1),
 * line and column; with `--order` also the cells whose outputs Restart and Run All would not give. Exit status 1 if there are errors, and 2 if a notebook could not be checked.
 */
export async function check(files: string[], { order = false }: { order?: boolean } = {}): Promise<void> {
  const notebooks = files.map((file) => ({ file, notebook: readNotebook(file) }));
  let errors = 0;
  let unchecked = 0;
  let outOfOrder = 0;
  for (const { file, notebook } of notebooks) {
    requireTypeScript(notebook, file);
    const report = await checkNotebook(notebook, file);
    for (const note of report.notes) console.error(`${file}: ${note}`);
    unchecked += report.unchecked;
    errors += print(file, report);
    if (order) outOfOrder += printOrder(file, checkOrder(notebook));
  }
  const all = counted(files.length, "notebook");
  if (errors > 0) console.error(`${counted(errors, "error")} in ${all}`);
  else if (unchecked === 0) console.error(`no type errors in ${all}`);
  if (order && outOfOrder === 0) console.error(`the cells ran in order in ${all}`);
  process.exitCode = unchecked > 0 ? 2 : errors + outOfOrder > 0 ? 1 : 0;
}

function printOrder(file: string, { problems, note }: OrderReport): number {
  for (const { cell, message } of problems) console.log(`${file}:cell[${cell}]: order: ${message}`);
  if (note !== undefined) console.error(`${file}: ${note}`);
  return problems.length;
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
