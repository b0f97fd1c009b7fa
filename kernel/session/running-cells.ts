import type { ErrorOutput } from "./host-exit.ts";
import type { ExecuteOptions } from "./options.ts";
import { Recent } from "./recent.ts";

/** A cell that the host runs, or that ended and whose timers and listeners may still send output. */
export interface RunningCell extends Pick<ExecuteOptions, "onOutput" | "onInput" | "onComm"> {
  id: number;
  /** Characters of its code, which its request holds. */
  size: number;
  /** Ends it; undefined once it has ended. */
  settle: ((status: "ok" | "error", elapsed: number) => void) | undefined;
  started: number;
}

/** Finds the cell that an output belongs to. Keeps the cells that ended last, as far as they fit. */
export class RunningCells {
  readonly #cells = new Map<number, RunningCell>();
  readonly #most: { items: number; size: number };
  #ended: Recent<RunningCell>;
  #latest: RunningCell | undefined;

  constructor(most: { items: number; size: number }) {
    this.#most = most;
    this.#ended = this.#noneEnded();
  }

  add(cell: RunningCell): void {
    this.#cells.set(cell.id, cell);
    this.#latest = cell;
  }

  /** The cell has ended. Later outputs of the oldest cells go to the one that ran last. */
  markEnded(cell: RunningCell): void {
    for (const { id } of this.#ended.add(cell)) this.#cells.delete(id);
  }

  get(id: number): RunningCell | undefined {
    return this.#cells.get(id);
  }

  /** Where an output goes that names this cell. */
  receiverOf(id: number): RunningCell | undefined {
    return this.#cells.get(id) ?? this.#latest;
  }

  /** Where an output goes that names no cell. */
  get latest(): RunningCell | undefined {
    return this.#latest;
  }

  /** The ids of the cells that have not ended. */
  get unsettled(): number[] {
    return [...this.#cells.values()].filter(({ settle }) => settle).map(({ id }) => id);
  }

  /** All end with this error. It is also shown when none runs, unless `isExpected`. */
  fail(error: ErrorOutput, isExpected: boolean): void {
    const unsettled = [...this.#cells.values()].filter(({ settle }) => settle);
    if (unsettled.length === 0 && !isExpected) this.#latest?.onOutput(error);
    for (const cell of unsettled) {
      cell.onOutput(error);
      cell.settle?.("error", performance.now() - cell.started);
    }
    this.#cells.clear();
    this.#ended = this.#noneEnded();
    this.#latest = undefined;
  }

  #noneEnded(): Recent<RunningCell> {
    return new Recent(this.#most, ({ size }) => size);
  }
}
