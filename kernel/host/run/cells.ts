import { AsyncLocalStorage } from "node:async_hooks";
import { Table as makeTable, type Table } from "../primordials.ts";
import type { LibraryMark } from "./library.ts";

/** A cell that this host has run or runs now. */
export interface HostCell {
  id: number;
  label: string;
  source: string;
  maps: string[];
  started: number;
  /** Set when the session has been told how it ended; what comes later is late output. */
  settled: boolean;
  /** It was interrupted: its code stops where it next awaits or runs an op of the library. */
  interrupted: boolean;
  /** When it was first asked to stop. */
  asked: number;
  /** When its code was given an error to stop by. */
  thrown: number | undefined;
  /** The `KeyboardInterrupt` made where its code was terminated. */
  interrupt: Error | undefined;
  /** The last `await` of its own code that began: line and column in the script's second-last form, from 1. */
  waitsAt: { line: number; column: number } | undefined;
  /** What of the library was left open on purpose when it began. */
  mark: LibraryMark;
  /** Its script has run, but its async body has not ended. */
  pending: boolean;
  /** What its script has thrown. */
  failure: { of: unknown } | undefined;
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

/** Characters of source and maps that are kept for the traces of what old cells declared. */
const mostKept = 64 << 20;
let kept = 0;
let oldest = 1;

/** Adds a cell and returns the cells that are dropped for it. */
export function addCell(cell: HostCell): HostCell[] {
  cells.set(cell.id, cell);
  latest = cell;
  kept += sizeOf(cell);
  const gone: HostCell[] = [];
  for (; kept > mostKept && oldest < cell.id; oldest++) {
    const old = cells.get(oldest);
    if (!old) continue;
    // One that runs is looked for when it is stopped.
    if (!old.settled) break;
    cells.delete(oldest);
    kept -= sizeOf(old);
    gone[gone.length] = old;
  }
  return gone;
}

/** The id of the last cell; ids increase. */
export const latestId = (): number => latest?.id ?? 0;

function sizeOf({ source, maps }: HostCell): number {
  let size = source.length + perCell;
  for (let index = 0; index < maps.length; index++) size += maps[index]!.length;
  return size;
}
const perCell = 1000;

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

export function runInCell<Result>(cell: HostCell, action: () => Result): Result {
  return run(cell, action);
}
