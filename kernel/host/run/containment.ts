import type { Output } from "../../protocol/output.ts";
import { describeSafely } from "../errors/errors.ts";
import type { SourceLocation } from "../errors/stack.ts";
import { type HostCell, runInCell } from "./cells.ts";
import type { Inspector } from "./inspector.ts";

export type ErrorOutput = Extract<Output, { type: "error" }>;

/** What is shown where an interrupt ended the reading of an error. */
export const stoppedWhileShown: ErrorOutput = {
  type: "error",
  ename: "KeyboardInterrupt",
  evalue: "the cell was interrupted while its error was shown",
  traceback: ["KeyboardInterrupt: the cell was interrupted while its error was shown; variables are kept"],
};

/** Runs host code that may call the user's, so that a termination ends that code and nothing around it. */
export class Containment {
  readonly #inspector: Inspector;
  readonly #terminated: () => void;
  /** The cell whose script V8 runs, or whose error is shown. */
  evaluating: HostCell | undefined;

  /** `terminated` is called where an interrupt has ended the contained code. */
  constructor(inspector: Inspector, terminated: () => void) {
    this.#inspector = inspector;
    this.#terminated = terminated;
  }

  /** Runs `action` as an evaluation of its own. Whether it ran to its end. */
  run(cell: HostCell | undefined, action: () => void): boolean {
    const before = this.evaluating;
    this.evaluating = cell;
    const inCell = cell ? () => runInCell(cell, action) : action;
    let ended = true;
    this.#inspector.act(inCell, () => {
      ended = false;
      this.#terminated();
    });
    this.evaluating = before;
    return ended;
  }

  /** What is shown of an error. Reading it may call code of the user's. */
  describe(cell: HostCell | undefined, thrown: unknown, place?: SourceLocation): ErrorOutput {
    let described: ErrorOutput | undefined;
    this.run(cell, () => {
      described = describeSafely(thrown, place);
    });
    return described ?? stoppedWhileShown;
  }
}
