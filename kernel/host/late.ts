import { currentCell, isInterrupt } from "./cells.ts";
import { describeSafely } from "./errors.ts";
import { sendEvent } from "./outbox.ts";

/** Shows what code threw that nobody awaits (a timer, a listener) in the cell that started it. */
export function reportLate(error: unknown): void {
  if (isInterrupt(error)) return;
  const cell = currentCell();
  if (cell) sendEvent({ type: "output", cell: cell.id, output: describeSafely(error) });
}
