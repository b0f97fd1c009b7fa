/** Runs jobs in order: one at a time in each lane, lanes concurrently. */
export class Queue {
  readonly #lanes = new Map<string, Promise<unknown>>();
  #last = 0;
  #abandonUpTo = 0;

  /** `work` gets whether it was abandoned while it waited. */
  add<Result>(lane: string, work: (abandoned: boolean) => Promise<Result>): Promise<Result> {
    const place = ++this.#last;
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const turn = before.then(() => work(place <= this.#abandonUpTo));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#lanes.set(lane, settled);
    void settled.then(() => {
      if (this.#lanes.get(lane) === settled) this.#lanes.delete(lane);
    });
    return turn;
  }

  /** Abandons all jobs that wait now; later ones will run. */
  abandonWaiting(): void {
    this.#abandonUpTo = this.#last;
  }
}
