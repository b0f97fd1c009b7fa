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
  /** Resolves when nothing runs or waits. */
  done: Promise<void> = Promise.resolve();

  get waiting(): number {
    return this.#waiting.length;
  }

  push(job: Job): void {
    this.#waiting.push(job);
    if (!this.#active) this.done = this.#work();
  }

  async #work(): Promise<void> {
    this.#active = true;
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) {
      if ((await outcomeOf(job)) === "ok") continue;
      // Only jobs that wait now are skipped; later ones were requested after the failure was known.
      const dependent = this.#waiting;
      this.#waiting = [];
      for (const each of dependent) await each.abort().catch(report);
    }
    this.#active = false;
  }
}

/** A job that rejects counts as failed, and the lane continues. */
async function outcomeOf(job: Job): Promise<"ok" | "failed"> {
  try {
    return await job.run();
  } catch (error) {
    report(error);
    return "failed";
  }
}

function report(error: unknown): void {
  console.error("[halftone]", error);
}
