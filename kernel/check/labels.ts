import type { CellAnalysis } from "./program/cell-analysis.ts";

/** How messages call cells, and which cell would have given a name its value. */
export class CellLabels {
  readonly #labels = new Map<number, string>();
  /** What cells with type errors declare: the names have no value unless another cell declares them. */
  readonly #notRun = new Map<string, string>();
  /** What cells declare that run, or ended before their end. */
  readonly #unfinished = new Map<string, string>();

  of(cell: number | undefined): string | undefined {
    return cell === undefined ? undefined : this.#labels.get(cell);
  }

  /** A cell has type errors, so that it may not run. */
  refuse({ declared }: CellAnalysis, label: string | undefined): void {
    if (label !== undefined) for (const [name] of declared) this.#notRun.set(name, label);
  }

  begin(cell: number, { declared }: CellAnalysis, label: string | undefined): void {
    for (const [name] of declared) {
      this.#notRun.delete(name);
      if (label !== undefined) this.#unfinished.set(name, label);
    }
    if (label !== undefined) this.#labels.set(cell, label);
  }

  /** The cell ran to its end. */
  finish(cell: number, { declared }: CellAnalysis): void {
    const label = this.#labels.get(cell);
    for (const [name] of declared) if (this.#unfinished.get(name) === label) this.#unfinished.delete(name);
  }

  /** Which cell with type errors declares a name, as a sentence. */
  whyNotRun(name: string): string | undefined {
    const label = this.#notRun.get(name);
    return label && `${label} declares it but did not run`;
  }

  /** Why a name that a cell declares has no value, as a sentence. */
  whyUndefined(name: string): string | undefined {
    const label = this.#unfinished.get(name);
    return this.whyNotRun(name) ?? (label && `${label} declares it but did not finish`);
  }

  clear(): void {
    this.#labels.clear();
    this.#notRun.clear();
    this.#unfinished.clear();
  }
}
