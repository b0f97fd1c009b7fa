/** Waits for what the program wrote before it stopped: that comes by another pipe than the stop. */
import type { HostInspector } from "../session/inspector.ts";

/** Milliseconds. */
const patience = 1000;

export class OutputsBefore {
  #last = 0;
  readonly #waiting = new Map<number, () => void>();

  /** Resolves when all has come that the stopped program wrote, or after a while. */
  async before(inspector: HostInspector): Promise<void> {
    const stop = ++this.#last;
    let timer: NodeJS.Timeout | undefined;
    const come = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
      this.#waiting.set(stop, resolve);
    });
    try {
      const expression = `${inspector.hostName}_debug.stopped(${stop})`;
      await inspector.post("Runtime.evaluate", { expression, silent: true, disableBreaks: true });
      await come;
    } catch {
      // The program has gone on, or has ended.
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(stop);
    }
  }

  /** The host says this after all that it wrote. */
  came(stop: number): void {
    this.#waiting.get(stop)?.();
  }
}
