import type { Output } from "../../protocol/output.ts";
import { describeSafely } from "../errors/errors.ts";
import type { SourceLocation } from "../errors/stack.ts";
import { type HostCell, runInCell } from "./cells.ts";
import type { Inspector } from "./inspector.ts";

export type ErrorOutput = Extract<Output, { type: "error" }>;

/** The output shown when an interrupt ended the formatting of an error. */
export const stoppedWhileShown: ErrorOutput = {
  type: "error",
  ename: "KeyboardInterrupt",
  evalue: "the cell was interrupted while its error was shown",
  traceback: ["KeyboardInterrupt: the cell was interrupted while its error was shown; variables are kept"],
};

/** Runs host code that may call user code, so that a termination ends only that code and not its caller. */
export class Containment {
  readonly #inspector: Inspector;
  readonly #terminated: () => void;
  /** The cell whose script V8 evaluates, or whose error is being formatted. */
  evaluating: HostCell | undefined;

  /** `terminated` is called when an interrupt ended the contained code. */
  constructor(inspector: Inspector, terminated: () => void) {
    this.#inspector = inspector;
    this.#terminated = terminated;
  }

  /** Runs `action` as a separate evaluation, and returns whether it ran to its end. */
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

  /** The output for an error. Formatting it may call user code. */
  describe(cell: HostCell | undefined, thrown: unknown, place?: SourceLocation): ErrorOutput {
    let described: ErrorOutput | undefined;
    this.run(cell, () => {
      described = describeSafely(thrown, place);
    });
    return described ?? stoppedWhileShown;
  }
}
