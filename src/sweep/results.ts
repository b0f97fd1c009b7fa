import type { Goal } from "./best.ts";
import { writeTables } from "./files.ts";
import { writePages } from "./page/write.ts";
import type { Plan } from "./plan.ts";
import type { PointRecord } from "./record.ts";
import type { Store } from "./store.ts";

/** Milliseconds between results while points run. */
const PERIOD = 20_000;

/** Makes the tables and the page of a sweep from the records in its store. */
export class Results {
  readonly #store: Store;
  readonly #plan: Plan;
  readonly #goal: Goal | undefined;
  #next = performance.now() + PERIOD;

  constructor(store: Store, plan: Plan, goal: Goal | undefined) {
    this.#store = store;
    this.#plan = plan;
    this.#goal = goal;
  }

  /** Writes the tables if the last ones are old, so that a long sweep can be looked at. */
  refresh(): void {
    if (performance.now() < this.#next) return;
    const before = performance.now();
    writeTables(this.#store, this.#store.records(this.#plan.points));
    this.#next = performance.now() + Math.max(PERIOD, 20 * (performance.now() - before));
  }

  /** Writes everything and returns the path of the page. @throws UserError if the folder cannot be written */
  async write(records: readonly PointRecord[]): Promise<string> {
    writeTables(this.#store, records);
    return writePages(this.#store, this.#plan, records, this.#goal);
  }
}
