import { writeStack } from "../errors/stack.ts";
import { inherits, now } from "../primordials.ts";
import { startedBy } from "./cells.ts";

/** The error that is thrown in the code of an interrupted cell. */
export class KeyboardInterrupt extends Error {
  override name = "KeyboardInterrupt";

  constructor() {
    super("the cell was interrupted");
    writeStack(this);
  }
}

export function isInterrupt(error: unknown): error is KeyboardInterrupt {
  return inherits(error, KeyboardInterrupt.prototype);
}

/** Throws when an interrupted cell started this code; otherwise returns `value`. */
export function stopIfInterrupted<Value>(value: Value): Value {
  const cell = startedBy();
  if (cell?.interrupted) {
    cell.thrown ??= now();
    throw new KeyboardInterrupt();
  }
  return value;
}
