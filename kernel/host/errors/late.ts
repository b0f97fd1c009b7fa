import type { Output } from "../../protocol/output.ts";
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

/** Sets how code is run that an interrupt may end without ending its caller; `how` returns false when it did. */
export function containBy(how: Contain): void {
  containWith = how;
}

/**
 * Runs a listener of the user's, which no cell waits for, in the cell that registered it: what it throws appears there.
 * Whether it returned.
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

/** Sets how an error becomes an output; undefined when the cell's own end already shows it. */
export function describeLateBy(how: Describe): void {
  describe = how;
}

/** Shows an error that is not awaited (in a timer or a listener) in the cell that started the work. */
export function reportLate(error: unknown): void {
  if (isInterrupt(error)) return;
  const cell = currentCell();
  const output = cell && describe(cell, error);
  if (cell && output) sendEvent({ type: "output", cell: cell.id, output });
}
