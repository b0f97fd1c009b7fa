/** A request that waits for its answer. */
export interface OpenRequest<Answer> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Requests to the host that wait for their answers, by number. */
export class OpenRequests<Answer> {
  #last = 0;
  readonly #open = new Map<number, OpenRequest<Answer>>();

  get size(): number {
    return this.#open.size;
  }

  /** Sends a request under a number of its own. `onLate` settles it after `patience` milliseconds without an answer; without one it waits. */
  ask(send: (id: number) => void, patience?: number, onLate?: (request: OpenRequest<Answer>) => void): Promise<Answer> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const settle =
        <Value>(finish: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          this.#open.delete(id);
          finish(value);
        };
      const request: OpenRequest<Answer> = { resolve: settle(resolve), reject: settle(reject) };
      const timer = patience === undefined ? undefined : setTimeout(() => onLate?.(request), patience);
      this.#open.set(id, request);
      send(id);
    });
  }

  get(id: number): OpenRequest<Answer> | undefined {
    return this.#open.get(id);
  }

  /** Settles all that wait. */
  settleAll(settle: (request: OpenRequest<Answer>) => void): void {
    for (const request of [...this.#open.values()]) settle(request);
  }
}
