import { namesModule } from "./program/paths.ts";
import type { Program } from "./program/program.ts";
import type { Workspace } from "./server/workspace.ts";

/** Milliseconds without a question after which the server has time for more. */
const idleAfter = 100;

/** Requests a completion while the server is idle, because the first one in a changed program takes long. */
export class WarmUp implements Disposable {
  readonly #ask: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** The program has changed or a request was sent: restarts the timer. */
  postpone(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#ask, idleAfter).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Has the server work out what a completion of the notebook's last name needs. */
export async function completeLastName(
  workspace: Workspace,
  lines: ReturnType<Program["namesFile"]>["lines"],
): Promise<void> {
  const [name, line] = [...lines].at(-1) ?? ["", 0];
  await workspace.complete(namesModule, { line, character: name === "" ? 0 : name.length + 1 });
}
