import type { CellAnalysis, Declared, Kind } from "./cell-analysis.ts";

/** The cells that declared a name last: its value and its type may come from different cells. */
export interface NameRecord {
  value?: { cell: number; kind: Kind; evolving: boolean };
  type?: { cell: number };
  /** The cell that ended well and last had a say in how far the variable's type is narrowed. */
  narrowedBy?: number;
}

/** The names of a notebook as its cells leave them. Whatever declares a name again replaces it, with whatever type. */
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

  /** A cell begins to run: what it declares takes its place, whether or not the cell then fails. */
  begin(cell: number, facts: CellAnalysis): void {
    for (const [name, declared] of facts.declared) this.#declare(cell, name, declared);
    for (const name of facts.touched) {
      const record = this.#records.get(name);
      if (record?.value && !record.value.evolving) delete record.narrowedBy;
    }
  }

  /** It ended without an error: its checks and assignments hold. */
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
