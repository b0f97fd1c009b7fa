import { parseCell } from "../compile/parse.ts";
import { readMagics } from "../magics/rewrite.ts";
import { Checker } from "./checker.ts";
import { placeOf } from "./place.ts";
import { notebookTypes } from "./report/metadata.ts";

/** The parts of a notebook that a check reads. */
export interface CheckedNotebook {
  metadata: Record<string, unknown>;
  cells: readonly { cell_type: string; id: string; source: string; metadata: Record<string, unknown> }[];
}

export interface CellProblem {
  /** The code cell's number, from 1. */
  cell: number;
  line: number;
  column: number;
  severity: "error" | "warning";
  /** TypeScript's number; a syntax error has none. */
  code?: number;
  message: string;
  reasons: string[];
}

export interface NotebookReport {
  problems: CellProblem[];
  notes: string[];
  /** Cells that could not be checked. */
  unchecked: number;
}

/** Milliseconds for one cell: a command can wait longer than a user at the keyboard. */
const patience = 60_000;

/**
 * All cells of a notebook from the first to the last, as if each had run. A cell that is not to be run is not checked,
 * nor one that may fail.
 */
export async function checkNotebook(notebook: CheckedNotebook, file: string): Promise<NotebookReport> {
  const { policy = "error", ...types } = notebookTypes(notebook.metadata);
  const report: NotebookReport = { problems: [], notes: [], unchecked: 0 };
  if (policy === "off") return { ...report, notes: ["not checked: the notebook's metadata says so"] };
  await using checker = new Checker({ ...placeOf(file), patience, ...types });
  let number = 0;
  for (const { cell_type, id, source, metadata } of notebook.cells) {
    if (cell_type !== "code") continue;
    const cell = ++number;
    const tags = Array.isArray(metadata.tags) ? metadata.tags : [];
    if (tags.includes("skip-execution")) continue;
    const code = readMagics(source).code;
    const name = { key: id, label: `cell [${cell}]` };
    const { diagnostics } = parseCell(code);
    const { problems, note } = await checker.check(code, name);
    if (note !== undefined) {
      report.notes.push(`cell ${cell}: ${note}`);
      if (note.startsWith("types were not checked")) report.unchecked++;
    }
    if (!tags.includes("raises-exception")) {
      for (const { line, column, message } of diagnostics)
        report.problems.push({ cell, line, column, severity: "error", message, reasons: [] });
      for (const { severity, ...problem } of problems)
        report.problems.push({ ...pick(problem), cell, severity: policy === "warn" ? "warning" : severity });
    }
    checker.end(checker.begin(code, name), true);
  }
  return report;
}

function pick({ line, column, code, message, reasons }: Omit<CellProblem, "cell" | "severity">) {
  return { line, column, ...(code === undefined ? {} : { code }), message, reasons };
}
