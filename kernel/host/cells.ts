import { AsyncLocalStorage } from "node:async_hooks";
import { Table as makeTable, type Table } from "./primordials.ts";

/** A cell that this host has run or runs now. */
export interface HostCell {
  id: number;
  label: string;
  source: string;
  maps: string[];
  started: number;
  /** Set when the session has been told how it ended; what comes later is late output. */
  settled: boolean;
  /** It was interrupted: what of it still runs stops where it next awaits. */
  interrupted: boolean;
  /** Its script has run, and its async body has not ended. */
  pending: boolean;
  /** The last expression's value, from its evaluation to its rendering. */
  value: { of: unknown } | undefined;
  /** Called when it ends, however it ends, after its last output. */
  atEnd: (() => void)[];
}

const cells: Table<number, HostCell> = new makeTable();
const context = new AsyncLocalStorage<HostCell>();
const run = context.run.bind(context);
const getStore = context.getStore.bind(context);
let latest: HostCell | undefined;

export function addCell(cell: HostCell): void {
  cells.set(cell.id, cell);
  latest = cell;
}

export function findCell(id: number): HostCell | undefined {
  return cells.get(id);
}

/** Whether any cell's code has this name in it. */
export function isNamedInCells(name: string): boolean {
  return [...cells.values()].some(({ source }) => source.includes(name));
}

/** The cell that this code, or the timer or promise it runs in, was started by. */
export function currentCell(): HostCell | undefined {
  return getStore() ?? latest;
}

/** The cell that started this code, if that is known. */
export function startedBy(): HostCell | undefined {
  return getStore();
}

export function currentId(): number {
  return currentCell()?.id ?? 0;
}

export function within<Result>(cell: HostCell, action: () => Result): Result {
  return run(cell, action);
}

/** Thrown into code of an interrupted cell. */
class KeyboardInterrupt extends Error {
  override name = "KeyboardInterrupt";
}

export function isInterrupt(error: unknown): boolean {
  return error instanceof KeyboardInterrupt;
}

/** Throws when this code was started by a cell that has been interrupted; else gives back what it was given. */
export function stopIfInterrupted<Value>(value: Value): Value {
  if (getStore()?.interrupted) throw new KeyboardInterrupt("the cell was interrupted");
  return value;
}
