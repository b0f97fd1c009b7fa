import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { isForDeno, type NotebookTypes, notebookTypes } from "../../kernel/check/report/metadata.ts";
import type { CellOutcome } from "../../kernel/protocol/output.ts";
import { Session } from "../../kernel/session/session.ts";
import { LONGEST_DELAY } from "../base/longest-delay.ts";
import { OutputLog } from "../display/output-log.ts";
import { runtimeRecord, startRecord } from "./environment.ts";
import { requireTypeScript } from "./language.ts";
import type { CodeCell, Notebook, NotebookOutput } from "./nbformat.ts";
import { packageVersions } from "./packages.ts";
import { hasTag, injectParameters, type Parameters } from "./parameters.ts";
import type { RunRecord, RunStatus } from "./record.ts";
import { WIDGET_STATE, WidgetLog } from "./widget-state.ts";

export interface RunOptions {
  /** The notebook's name in messages. */
  name: string;
  /** The notebook's file, whose name the folder of the packages that its cells install has (default: `name`). */
  file?: string;
  /** The cells' working folder: relative paths and imports are resolved from it. */
  folder: string;
  /** Resolve packages only in this folder's `node_modules`, instead of in `folder`'s and those of its parents. */
  packages?: string;
  /** The notebook's path relative to the executed copy, for the record. */
  source?: string;
  /** The cells' environment variables (default: this process's). */
  env?: NodeJS.ProcessEnv;
  parameters?: Parameters;
  /** Continue after a cell that fails. A cell tagged `raises-exception` may always fail. */
  allowErrors?: boolean;
  /** The time limit for each cell, in seconds. */
  timeout?: number;
  /** Called with the address of V8's inspector; the run then waits until a debugger has attached. */
  onInspector?: (url: string) => void;
  /** Interrupts the running cell and ends the run; the outputs of finished cells stay in the notebook. */
  signal?: AbortSignal;
  /** `index` counts from 0 over the cells that run. */
  onCellStart?: (cell: CodeCell, index: number, total: number) => void;
  onCellEnd?: (cell: CodeCell, index: number, total: number, seconds: number) => void;
  /** Called when the notebook has changed: before the first cell, after each cell, and at the end. */
  onChange?: () => void;
}

export interface RunResult {
  status: Exclude<RunStatus, "running">;
  /** The cell that ended the run, counted from 0 over the cells that run. */
  failed?: { index: number; total: number; error: CellError };
}

export type CellError = Extract<NotebookOutput, { output_type: "error" }>;

/** Milliseconds that an interrupted cell may take to end before its process is killed. */
const GRACE = 10_000;

/** Runs the notebook's code cells in a new session. Updates `notebook` in place as outputs arrive. */
export async function runNotebook(notebook: Notebook, options: RunOptions): Promise<RunResult> {
  requireTypeScript(notebook, options.name);
  injectParameters(notebook, options.parameters ?? {}, options.name);
  const cells = notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
  // Skipped cells keep their outputs, as in nbclient.
  const notSkipped = cells.filter((cell) => !hasTag(cell, "skip-execution"));
  for (const cell of notSkipped) {
    cell.outputs = [];
    cell.execution_count = null;
    delete cell.metadata.execution;
  }
  const toRun = notSkipped.filter((cell) => cell.source.trim() !== "");
  const types = notebookTypes(notebook.metadata);
  const places = { folder: options.folder, file: options.file ?? options.name, packages: options.packages };
  const record: RunRecord = startRecord(notebook, {
    ...places,
    source: options.source,
    env: options.env ?? process.env,
  });
  const typeOptions = (notebook.metadata.halftone as { types?: unknown } | undefined)?.types;
  notebook.metadata.halftone = typeOptions === undefined ? record : Object.assign(record, { types: typeOptions });
  options.onChange?.();
  const result = await runCells(notebook, toRun, record, options, { types, isForDeno: isForDeno(notebook.metadata) });
  // Cells may have installed some.
  record.packages = packageVersions(notebook, places);
  record.end = new Date().toISOString();
  record.status = result.status;
  options.onChange?.();
  return result;
}

async function runCells(
  notebook: Notebook,
  cells: CodeCell[],
  record: RunRecord,
  options: RunOptions,
  { types, isForDeno }: { types: NotebookTypes; isForDeno: boolean },
): Promise<RunResult> {
  await using session = Session.start({
    cwd: options.folder,
    ...(options.packages === undefined ? {} : { packages: options.packages }),
    types,
    isForDeno,
    // As Jupyter Server does: the name of the folder with the notebook's own packages comes from it.
    env: { ...(options.env ?? process.env), JPY_SESSION_NAME: path.resolve(options.file ?? options.name) },
    inspect: options.onInspector !== undefined,
  });
  if (options.onInspector) {
    const sources = cells.map(({ source }) => source);
    const waiting = session.waitForInspector(options.onInspector, sources);
    await doneOrAborted(waiting, options.signal);
  }
  const log = new OutputLog();
  const widgets = new WidgetLog();
  session.onComm = (message) => widgets.add(message);
  // At every end, because the outputs of the cells that ran name their widgets.
  using _ = { [Symbol.dispose]: () => keepWidgets(notebook, widgets) };
  let failed: RunResult["failed"];
  for (const [index, cell] of cells.entries()) {
    if (options.signal?.aborted) return { status: "interrupted" };
    options.onCellStart?.(cell, index, cells.length);
    const began = performance.now();
    const outcome = await runCell(session, cell, { log, widgets }, options);
    options.onCellEnd?.(cell, index, cells.length, (performance.now() - began) / 1000);
    options.onChange?.();
    if (options.signal?.aborted) return { status: "interrupted" };
    if (outcome !== "ok" && !hasTag(cell, "raises-exception")) {
      failed ??= { index, total: cells.length, error: errorOf(cell) };
      if (!options.allowErrors) break;
    }
    if (outcome === "stuck") return { status: "error", failed: { index, total: cells.length, error: errorOf(cell) } };
  }
  Object.assign(record, await runtimeRecord(session));
  return { status: failed && !options.allowErrors ? "error" : "ok", ...(failed ? { failed } : {}) };
}

/** Saves the widgets' state in the notebook's metadata, beside what other programs keep there. */
function keepWidgets(notebook: Notebook, widgets: WidgetLog): void {
  const { [WIDGET_STATE]: _, ...others } = (notebook.metadata.widgets ?? {}) as Record<string, unknown>;
  const state = widgets.document;
  const kept = state ? { ...others, [WIDGET_STATE]: state } : others;
  if (Object.keys(kept).length > 0) notebook.metadata.widgets = kept;
  else delete notebook.metadata.widgets;
}

async function doneOrAborted(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController();
  const ended = waiting.finally(() => done.abort());
  await (signal ? Promise.race([ended, aborted(signal, done.signal)]) : ended);
}

async function runCell(
  session: Session,
  cell: CodeCell,
  { log, widgets }: { log: OutputLog; widgets: WidgetLog },
  { timeout, signal }: RunOptions,
): Promise<"ok" | "error" | "stuck"> {
  const started = new Date().toISOString();
  const finished = new AbortController();
  const onOutput = log.cell(cell.outputs, () => cell.execution_count);
  let onStart = () => {};
  const startEvent = new Promise<void>((resolve) => {
    onStart = resolve;
  });
  const running = session
    .execute(cell.source, { onOutput, onStart, cellKey: cell.id, onComm: (message) => widgets.add(message) })
    .then(({ status, executionCount }) => {
      cell.execution_count = executionCount;
      for (const output of cell.outputs) {
        if (output.output_type === "execute_result") output.execution_count = executionCount;
      }
      return status;
    });
  const timeouts =
    timeout === undefined
      ? []
      : [
          startEvent.then(() =>
            after(Math.min(timeout * 1000, LONGEST_DELAY), "late" as const, { signal: finished.signal }),
          ),
        ];
  const interrupts = signal ? [aborted(signal, finished.signal)] : [];
  try {
    let outcome: CellOutcome["status"] | "late" | "stopped" | "stuck" = await Promise.race([
      running,
      ...timeouts,
      ...interrupts,
    ]);
    const timedOut = outcome === "late";
    if (outcome === "late" || outcome === "stopped") {
      session.interrupt();
      outcome = await Promise.race([running, after(GRACE, "stuck" as const, { signal: finished.signal })]);
    }
    if (timedOut || outcome === "stuck") {
      const reason = timedOut ? `it ran longer than ${timeout} s (--timeout)` : "it was interrupted";
      replaceError(
        cell,
        timedOut ? "CellTimeoutError" : "KeyboardInterrupt",
        outcome === "stuck" ? `${reason} and did not stop` : reason,
      );
      return outcome === "stuck" ? "stuck" : "error";
    }
    return outcome === "ok" ? "ok" : "error";
  } finally {
    finished.abort();
    const ended = new Date().toISOString();
    // The field names of nbclient's record_timing, which Jupyter's tools read.
    cell.metadata.execution = {
      "iopub.status.busy": started,
      "iopub.execute_input": started,
      "iopub.status.idle": ended,
      "shell.execute_reply": ended,
    };
  }
}

function aborted(signal: AbortSignal, unless: AbortSignal): Promise<"stopped"> {
  if (signal.aborted) return Promise.resolve("stopped");
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve("stopped"), { signal: unless }));
}

function errorOf(cell: CodeCell): CellError {
  const found = cell.outputs.findLast((output) => output.output_type === "error");
  return (
    found ?? { output_type: "error", ename: "Error", evalue: "the cell failed without an error message", traceback: [] }
  );
}

/** Replaces the KeyboardInterrupt that stopping the cell caused by an error with the reason for stopping it. */
function replaceError(cell: CodeCell, ename: string, evalue: string): void {
  const at = cell.outputs.findLastIndex(
    (output) => output.output_type === "error" && output.ename === "KeyboardInterrupt",
  );
  const error: CellError = { output_type: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
  cell.outputs.splice(at < 0 ? cell.outputs.length : at, at < 0 ? 0 : 1, error);
}
