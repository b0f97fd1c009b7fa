import { type References, readReferences } from "./references.ts";

/** A cell that begins to run. */
export interface CellRun {
  /** The front end's own name for the cell, the same at every run. Without one, cells of the same text are the same cell. */
  key?: string | undefined;
  /** How messages call it: `cell [3]`. */
  label: string;
  /** As it was typed. */
  source: string;
  /** As TypeScript, line for line. */
  code: string;
}

/** A cell whose outputs may differ from what it would give now. */
export interface StaleCell {
  /** A name of the cell that is its own, the same at every run. */
  name: string;
  /** The front end's name for it, if it has one. */
  key: string | undefined;
  label: string;
  source: string;
  reasons: string[];
  /** Whether it has shown anything. */
  shown: boolean;
}

/** A cell's text in the notebook's file. */
export interface SavedCell {
  key: string;
  source: string;
}

/** The cells of the notebook's file in order, and when it was written, in milliseconds since 1970. */
export interface SavedCells {
  cells: readonly SavedCell[];
  at: number;
}

/** The run that gave a name its value. */
interface Setter {
  cell: string;
  run: number;
}

interface Cell {
  name: string;
  key: string | undefined;
  label: string;
  source: string;
  run: number;
  /** When that began, in milliseconds since 1970. */
  began: number;
  /** The number of its first run. */
  first: number;
  references: References;
  /** The run that had set each name that it reads. */
  reads: Map<string, Setter>;
  shown: boolean;
  /** Whether its newest text has type errors and did not run. */
  refused: boolean;
}

/** Cells that are remembered. */
const mostCells = 5000;

/**
 * Which cell read what another had set, and when. A cell is stale when a name that it read has been set again since then: by the
 * cell that had set it, or by another one that stands before the reader. What a cell after the reader sets does not count, because
 * Run All would not have run that cell yet.
 */
export class Dependencies {
  readonly #cells = new Map<string, Cell>();
  readonly #setters = new Map<string, Setter>();
  #runs = 0;

  /** The cell begins to run. Call the function that it returns when the cell has shown something. */
  begin({ key, label, source, code }: CellRun): () => void {
    const name = nameOf(key, source);
    const before = this.#cells.get(name);
    const references = readReferences(code);
    const run = ++this.#runs;
    const reads = new Map<string, Setter>();
    for (const each of references.reads) {
      const setter = this.#setters.get(each);
      if (setter) reads.set(each, setter);
    }
    const sameInputs = [...reads].every(([each, setter]) => before?.reads.get(each)?.run === setter.run);
    const first = before?.first ?? run;
    const began = Date.now();
    const cell: Cell = { name, key, label, source, run, began, first, references, reads, shown: false, refused: false };
    for (const each of references.writes) {
      const text = references.constant.get(each);
      const isSame = before !== undefined && text !== undefined && before.references.constant.get(each) === text;
      const keepsValue = isSame && sameInputs && this.#setters.get(each)?.cell === name;
      if (!keepsValue) this.#setters.set(each, { cell: name, run });
    }
    this.#cells.set(name, cell);
    if (this.#cells.size > mostCells) this.#cells.delete(this.#cells.keys().next().value!);
    return () => {
      cell.shown = true;
    };
  }

  /** The cell's text did not run, because it has errors of types or syntax. */
  refuse({ key, source }: Pick<CellRun, "key" | "source">): void {
    const cell = this.#cells.get(nameOf(key, source));
    if (cell && cell.source !== source) cell.refused = true;
  }

  /** All variables are lost. */
  clear(): void {
    this.#cells.clear();
    this.#setters.clear();
  }

  /** The stale cells, in the order in which they should run. */
  stale({ cells: saved, at }: SavedCells = { cells: [], at: 0 }): StaleCell[] {
    const order = new Map(saved.map(({ key }, index) => [key, index]));
    // A text that was saved before the cell began to run is older than the text that ran.
    const newer = saved.filter(({ key }) => at >= (this.#cells.get(key)?.began ?? 0));
    const texts = new Map(newer.map(({ key, source }) => [key, source]));
    const positionOf = ({ name }: Cell) => order.get(name) ?? order.size;
    const cells = [...this.#cells.values()].sort((a, b) => positionOf(a) - positionOf(b) || a.first - b.first);
    const places = new Map(cells.map(({ name }, index) => [name, index]));
    const reasons = new Map<string, string[]>();
    for (const cell of cells) {
      const found = this.#reasons(cell, places, texts.get(cell.name));
      if (found.length > 0) reasons.set(cell.name, found);
    }
    this.#spread(cells, reasons);
    return this.#sorted(cells.filter(({ name }) => reasons.has(name))).map(({ name, key, label, source, shown }) => ({
      name,
      key,
      label,
      source: texts.get(name) ?? source,
      reasons: reasons.get(name)!,
      shown,
    }));
  }

  /** Why the cell itself is stale, whatever the cells before it are. */
  #reasons(cell: Cell, places: ReadonlyMap<string, number>, saved: string | undefined): string[] {
    const reasons: string[] = [];
    if (saved !== undefined && saved !== cell.source) reasons.push("it was edited after it ran");
    else if (cell.refused) reasons.push("its edited code has errors and did not run");
    for (const [variable, read] of cell.reads) {
      if (read.cell === cell.name) continue;
      const now = this.#setters.get(variable)!;
      const source = this.#cells.get(read.cell);
      const isFromBefore = now.cell === read.cell || places.get(now.cell)! < places.get(cell.name)!;
      if (now.run > cell.run && now.cell !== cell.name && isFromBefore)
        reasons.push(`${this.#labelOf(now.cell)} has set ${variable} since`);
      else if (source && source.run > cell.run && !source.references.writes.has(variable))
        reasons.push(`${source.label} no longer sets ${variable}`);
    }
    return reasons;
  }

  /** Adds the cells that read what a stale cell sets. */
  #spread(cells: readonly Cell[], reasons: Map<string, string[]>): void {
    for (let more = true; more; ) {
      more = false;
      for (const cell of cells) {
        if (reasons.has(cell.name)) continue;
        const through = [...cell.reads].filter(([, read]) => read.cell !== cell.name && reasons.has(read.cell));
        if (through.length === 0) continue;
        const why = through.map(([variable, read]) => `${this.#labelOf(read.cell)}, which sets ${variable}, is stale`);
        reasons.set(cell.name, why);
        more = true;
      }
    }
  }

  /** A cell comes after the stale cells that set what it reads; of a circle, the first comes first. */
  #sorted(cells: readonly Cell[]): Cell[] {
    const waiting = [...cells];
    const sorted: Cell[] = [];
    while (waiting.length > 0) {
      const names = new Set(waiting.map(({ name }) => name));
      const isReady = ({ name, reads }: Cell) =>
        [...reads].every(([variable, { cell }]) => cell === name || !names.has(cell) || !this.#sets(cell, variable));
      sorted.push(...waiting.splice(Math.max(0, waiting.findIndex(isReady)), 1));
    }
    return sorted;
  }

  #sets(cell: string, variable: string): boolean {
    return this.#cells.get(cell)?.references.writes.has(variable) === true;
  }

  #labelOf(cell: string): string {
    return this.#cells.get(cell)?.label ?? "a cell";
  }
}

/** Cells of a front end that does not name them are the same cell when their texts are. */
function nameOf(key: string | undefined, source: string): string {
  return key ?? `text ${source}`;
}
