import { randomUUID } from "node:crypto";
import { Dependencies, type StaleCell } from "../check/order/dependencies.ts";
import { readMagics } from "../magics/rewrite.ts";
import { errorOutput, type Output, textOutput } from "../protocol/output.ts";
import type { ExecuteOptions } from "./options.ts";
import type { CellEnd, CellToRun } from "./run-cell.ts";
import { savedCells } from "./saved-notebook.ts";

type OnOutput = (output: Output) => void;

/** Tells which cells are out of date: after a run, in a display that later runs correct, and to `%stale`. */
export class StaleCells {
  readonly #dependencies = new Dependencies();
  readonly #env: NodeJS.ProcessEnv;
  readonly #run: (cell: CellToRun) => Promise<CellEnd>;
  #announces = true;
  /** The keys of the cells that the last run left stale. */
  #known = new Set<string>();
  #notice: { displayId: string; text: string } | undefined;

  constructor(env: NodeJS.ProcessEnv, run: (cell: CellToRun) => Promise<CellEnd>) {
    this.#env = env;
    this.#run = run;
  }

  /** Runs a cell, and afterwards names the cells that it made stale. */
  async run(cell: CellToRun): Promise<CellEnd> {
    const end = await this.#track(cell);
    // A console has no cells that show what is out of date.
    if (cell.options.cellKey !== undefined) this.#announce(cell.options.onOutput);
    return end;
  }

  async #track({ options, ...cell }: CellToRun): Promise<CellEnd> {
    const started = { key: options.cellKey, label: cell.label, source: cell.source, code: cell.code };
    let shows: (() => void) | undefined;
    const onStart = () => {
      shows = this.#dependencies.begin(started);
      options.onStart?.();
    };
    const onOutput = (output: Output) => {
      shows?.();
      options.onOutput(output);
    };
    const end = await this.#run({ ...cell, options: { ...options, onStart, onOutput } });
    if (shows === undefined) this.#dependencies.refuse(started);
    return end;
  }

  /** `%run ARGUMENT`, which must be `stale`: runs the stale cells in order, until one fails. */
  async rerun(
    argument: string,
    make: (cell: Pick<CellToRun, "label" | "source" | "code" | "options">) => CellToRun,
    options: ExecuteOptions,
  ): Promise<CellEnd["status"]> {
    const { onOutput } = options;
    if (argument !== "stale") {
      const evalue = `%run runs stale cells: %run stale, got ${`%run ${argument}`.trim()}. Import a file: import "./file.ts"`;
      onOutput(errorOutput("SyntaxError", evalue));
      return "error";
    }
    const cells = this.#toRun();
    if (cells.length === 0) onOutput(textOutput("no cell is stale"));
    for (const { key, label, source } of cells) {
      onOutput(textOutput(`${label}: ${firstLine(source)}`));
      const { code } = readMagics(source);
      const { status } = await this.#track(make({ label, source, code, options: { ...options, cellKey: key } }));
      if (status === "error") return "error";
    }
    this.#announce(onOutput);
    return "ok";
  }

  /** A cell has run: names the stale cells that have shown something, when there are new ones among them. */
  #announce(onOutput: OnOutput): void {
    if (!this.#announces) return;
    const stale = this.#dependencies.stale().filter(({ shown }) => shown);
    const isNew = stale.some(({ name }) => !this.#known.has(name));
    this.#known = new Set(stale.map(({ name }) => name));
    const text = noticeOf(stale);
    if (this.#notice && this.#notice.text !== text) {
      this.#show(onOutput, "update", this.#notice.displayId, isNew ? "" : text);
      this.#notice = isNew || text === "" ? undefined : { ...this.#notice, text };
    }
    if (!isNew) return;
    this.#notice = { displayId: randomUUID(), text };
    this.#show(onOutput, "display", this.#notice.displayId, text);
  }

  /** `%stale`, `%stale on` and `%stale off`. */
  list(argument: string, onOutput: OnOutput): void {
    if (argument === "on" || argument === "off") {
      this.#announces = argument === "on";
      const names = argument === "on" ? "name" : "do not name";
      onOutput(textOutput(`%stale is ${argument}: cells ${names} stale cells after a run`));
    } else if (argument !== "") onOutput(textOutput(`%stale expects on, off or nothing, got ${argument}`));
    else {
      const stale = this.#toRun();
      if (stale.length === 0) onOutput(textOutput("no cell is stale"));
      else onOutput({ type: "display", data: tableOf(stale), metadata: {} });
    }
  }

  /** The stale cells in the order in which they should run, those too that were edited in the saved notebook. */
  #toRun(): StaleCell[] {
    return this.#dependencies.stale(savedCells(this.#env));
  }

  /** All variables are lost. */
  clear(): void {
    this.#dependencies.clear();
    this.#known.clear();
    this.#notice = undefined;
  }

  #show(onOutput: OnOutput, type: "display" | "update", displayId: string, text: string): void {
    onOutput({ type, data: { "text/plain": text }, metadata: {}, displayId });
  }
}

/** The most cells that a notice names. */
const mostNamed = 8;

function noticeOf(stale: readonly StaleCell[]): string {
  if (stale.length === 0) return "";
  const names = stale.slice(0, mostNamed).map(({ label }) => label);
  if (stale.length > mostNamed) names.push(`${stale.length - mostNamed} more`);
  return `stale: ${names.join(", ")} (%stale says why, %run stale runs ${stale.length === 1 ? "it" : "them"})`;
}

function tableOf(stale: readonly StaleCell[]): Record<string, string> {
  const rows = stale.map(({ label, source, reasons }) => ({ label, code: firstLine(source), why: reasons.join("; ") }));
  const text = rows.map(({ label, code, why }) => `${label}  ${code}\n    ${why}`).join("\n");
  const cells = rows.map(({ label, code, why }) => `| ${label} | ${inMarkdown(code)} | ${why} |`);
  return { "text/plain": text, "text/markdown": ["| cell | code | why |", "| --- | --- | --- |", ...cells].join("\n") };
}

/** Code in a table of Markdown, between more backticks than it has. */
function inMarkdown(code: string): string {
  const fence = "`".repeat(Math.max(0, ...(code.match(/`+/g) ?? []).map(({ length }) => length)) + 1);
  return `${fence} ${code.replaceAll("|", "\\|")} ${fence}`;
}

/** The first line of a cell with code in it. */
function firstLine(source: string): string {
  const line = source.split("\n").find((each) => !/^\s*(?:$|\/\/|#\|)/.test(each)) ?? "";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line.trim();
}
