import type { Output } from "../session/output.ts";
import { currentCell, type HostCell, isInterrupt } from "./cells.ts";
import { describeSafely } from "./errors.ts";
import { sendEvent } from "./outbox.ts";

type Describe = (cell: HostCell, error: unknown) => Output | undefined;
let describe: Describe = (_, error) => describeSafely(error);

/** How an error becomes an output; undefined where the cell's own end says it already. */
export function describeLateBy(how: Describe): void {
  describe = how;
}

/** Shows what code threw that nobody awaits (a timer, a listener) in the cell that started it. */
export function reportLate(error: unknown): void {
  if (isInterrupt(error)) return;
  const cell = currentCell();
  const output = cell && describe(cell, error);
  if (cell && output) sendEvent({ type: "output", cell: cell.id, output });
}
