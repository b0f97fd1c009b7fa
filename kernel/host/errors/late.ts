import type { Output } from "../../protocol/output.ts";
import { sendOutput } from "../io/capture.ts";
import { sendEvent } from "../io/output-buffer.ts";
import { currentCell, type HostCell } from "../run/cells.ts";
import { isInterrupt } from "../run/keyboard-interrupt.ts";
import { describeSafely } from "./errors.ts";

type Describe = (cell: HostCell, error: unknown) => Output | undefined;
let describe: Describe = (_, error) => describeSafely(error);

type Contain = (cell: HostCell | undefined, action: () => void) => boolean;
let containWith: Contain = (_, action) => {
  action();
  return true;
};

/** Sets the function that runs code so that an interrupt ends only that code. It returns false after an interrupt. */
export function containBy(how: Contain): void {
  containWith = how;
}

/**
 * Runs a user's listener, for which no cell waits, in the cell that registered it. Its errors appear in that cell. Returns
 * whether it ran without an error.
 */
export function callLate(cell: HostCell | undefined, listener: () => void): boolean {
  let returned = false;
  const ended = containWith(cell, () => {
    try {
      listener();
      returned = true;
    } catch (error) {
      reportLate(error);
    }
  });
  if (!ended && cell) sendEvent({ type: "output", cell: cell.id, output: stopped });
  return returned;
}

const stopped: Output = {
  type: "error",
  ename: "KeyboardInterrupt",
  evalue: "a listener of this cell was interrupted",
  traceback: ["KeyboardInterrupt: a listener of this cell was interrupted; variables are kept"],
};

/** Sets the function that turns an error into an output. It returns undefined when the cell's end already shows the error. */
export function describeLateBy(how: Describe): void {
  describe = how;
}

/** Shows an error from work that no code awaits (a timer or a listener) in the cell that started it. */
export function reportLate(error: unknown): void {
  if (isInterrupt(error)) return;
  const cell = currentCell();
  const output = cell && describe(cell, error);
  if (cell && output) sendOutput(cell.id, output);
}
