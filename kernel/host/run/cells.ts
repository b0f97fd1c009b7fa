import { AsyncLocalStorage } from "node:async_hooks";
import { Table as makeTable, type Table } from "../primordials.ts";
import type { LibraryMark } from "./library.ts";

/** A cell that this host has run or runs now. */
export interface HostCell {
  id: number;
  label: string;
  /** The front end's own name for the cell, the same at every run. */
  key: string | undefined;
  /** Whether a person can answer its questions. */
  attended: boolean;
  source: string;
  maps: string[];
  started: number;
  /** Whether the session has been told how the cell ended. Later output is late output. */
  settled: boolean;
  /** Whether it was interrupted. Its code then stops at its next await or op of the library. */
  interrupted: boolean;
  /** The time of the first request to stop. */
  asked: number;
  /** The time when a `KeyboardInterrupt` was thrown in its code. */
  thrown: number | undefined;
  /** The `KeyboardInterrupt` that was created where its code was terminated. */
  interrupt: Error | undefined;
  /** The last `await` that its code reached: line and column, from 1, in the text before the last step of compilation. */
  waitsAt: { line: number; column: number } | undefined;
  /** The library's state when the cell began, such as open scopes. */
  mark: LibraryMark;
  /** Whether its script has run, but its async body has not ended. */
  pending: boolean;
  /** The value that its script threw. */
  failure: { of: unknown } | undefined;
  /** The last expression's value, from its evaluation to its rendering. */
  value: { of: unknown } | undefined;
  /** Called before its last output. */
  beforeEnd: (() => void)[];
  /** Called after its last output, whether it succeeded or failed. */
  atEnd: (() => void)[];
}

const cells: Table<number, HostCell> = new makeTable();
const context = new AsyncLocalStorage<HostCell>();
const run = context.run.bind(context);
const getStore = context.getStore.bind(context);
let latest: HostCell | undefined;

/** The most characters of sources and maps that are kept for stack traces through code of old cells. */
const mostKept = 64 << 20;
let kept = 0;
let oldest = 1;

/** Adds a cell and returns the cells that are dropped to make room. */
export function addCell(cell: HostCell): HostCell[] {
  cells.set(cell.id, cell);
  latest = cell;
  kept += sizeOf(cell);
  const gone: HostCell[] = [];
  for (; kept > mostKept && oldest < cell.id; oldest++) {
    const old = cells.get(oldest);
    if (!old) continue;
    // A running cell is kept, because an interrupt must find it.
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

/** Whether any cell's source contains this name. */
export function isNamedInCells(name: string): boolean {
  return [...cells.values()].some(({ source }) => source.includes(name));
}

/** The cell that started this code, its timer or its promise. When that is unknown, the latest cell. */
export function currentCell(): HostCell | undefined {
  return getStore() ?? latest;
}

/** The cell that started this code, or undefined when that is unknown. */
export function startedBy(): HostCell | undefined {
  return getStore();
}

export function currentId(): number {
  return currentCell()?.id ?? 0;
}

export function runInCell<Result>(cell: HostCell, action: () => Result): Result {
  return run(cell, action);
}
