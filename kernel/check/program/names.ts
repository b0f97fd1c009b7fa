import type { CellAnalysis, Declared, Kind } from "./cell-analysis.ts";

/** The cells that last declared a name. Its value and its type may come from different cells. */
export interface NameRecord {
  value?: { cell: number; kind: Kind; evolving: boolean };
  type?: { cell: number };
  /** The last cell that ended without an error and may have narrowed the variable's type. */
  narrowedBy?: number;
}

/** The names that a notebook's cells have declared so far. A new declaration replaces the old one, whatever its type. */
export class Names {
  readonly #records = new Map<string, NameRecord>();

  get(name: string): NameRecord | undefined {
    return this.#records.get(name);
  }

  [Symbol.iterator](): IterableIterator<[string, NameRecord]> {
    return this.#records.entries();
  }

  clear(): void {
    this.#records.clear();
  }

  /** Records the declarations of a cell that begins to run. They count even when the cell then fails. */
  begin(cell: number, facts: CellAnalysis): void {
    for (const [name, declared] of facts.declared) this.#declare(cell, name, declared);
    for (const name of facts.touched) {
      const record = this.#records.get(name);
      if (record?.value && !record.value.evolving) delete record.narrowedBy;
    }
  }

  /** Records that a cell ended without an error, so that the narrowing by its checks and assignments applies. */
  succeed(cell: number, facts: CellAnalysis): void {
    for (const name of facts.touched) {
      const record = this.#records.get(name);
      if (record?.value && isVariable(record.value.kind) && record.value.cell <= cell) record.narrowedBy = cell;
    }
  }

  #declare(cell: number, name: string, { kind, value, type, evolving }: Declared): void {
    const record = this.#records.get(name) ?? {};
    if (value) {
      record.value = { cell, kind, evolving };
      if (evolving) record.narrowedBy = cell;
      else delete record.narrowedBy;
    }
    if (type) record.type = { cell };
    this.#records.set(name, record);
  }
}

export function isVariable(kind: Kind): boolean {
  return kind === "const" || kind === "let" || kind === "var";
}
