/**
 * One shell's cells, run one after another: the main shell is a lane, and each subshell (JEP 91) is one more. Lanes run beside one
 * another: a cell that awaits in one does not hold back a cell in another.
 */
export interface Job {
  run(): Promise<"ok" | "failed">;
  /** Called in place of `run` when a job before it failed. */
  abort(): Promise<void>;
}

export class Lane {
  #waiting: Job[] = [];
  #active = false;

  push(job: Job): void {
    this.#waiting.push(job);
    if (!this.#active) void this.#work();
  }

  async #work(): Promise<void> {
    this.#active = true;
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) {
      if ((await job.run()) === "ok") continue;
      // Only what waits now depends on the job that failed; what comes later was asked for with its failure in sight.
      const dependent = this.#waiting;
      this.#waiting = [];
      for (const each of dependent) await each.abort();
    }
    this.#active = false;
  }
}
