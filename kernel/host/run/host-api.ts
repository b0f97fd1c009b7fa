import { Deno } from "../deno.ts";
import type { Loader } from "../load/load.ts";
import { defineProperty } from "../primordials.ts";
import { clearAsyncIds } from "./async-ids.ts";
import { currentCell, startedBy } from "./cells.ts";
import type { Inspector } from "./inspector.ts";
import type { Interrupts } from "./interrupts.ts";
import { stopIfInterrupted } from "./keyboard-interrupt.ts";

interface Evaluation {
  /** Runs a part of a cell's script. */
  sync(body: () => unknown): unknown;
  /** Runs the body of a cell that awaits. */
  run(cell: number, body: () => Promise<void>): void;
}

/** Defines the functions that compiled cells, the inspector and the guard call. No cell knows the name of their global. */
export function installHostApi(
  hostName: string,
  evaluation: Evaluation,
  { loader, inspector, interrupts }: { loader: Loader; inspector: Inspector; interrupts: Interrupts },
): void {
  const api = {
    ...evaluation,
    value: (id: number, value: unknown) => {
      const cell = currentCell();
      if (cell?.id === id) cell.value = { of: value };
    },
    waits: (line: number, column: number, value: unknown) => {
      const cell = startedBy();
      if (cell) cell.waitsAt = { line, column };
      return value;
    },
    awaited: stopIfInterrupted,
    clearAsyncIds,
    ...inspector.functions,
    load: loader.load.bind(loader),
    dynamic: loader.dynamic.bind(loader),
    meta: loader.meta,
    Deno,
    interrupt: interrupts.ask,
  };
  defineProperty(globalThis, hostName, { value: Object.freeze(api), enumerable: false });
  // Libraries may call this between the steps of a long computation.
  defineProperty(globalThis, Symbol.for("halftone.stopIfInterrupted"), { value: stopIfInterrupted, enumerable: false });
  // The display folder of the library shows there what it holds back while a cell computes.
  defineProperty(globalThis, Symbol.for("halftone.atCellEnd"), { value: atCellEnd, enumerable: false });
}

function atCellEnd(show: () => void): void {
  const atEnd = currentCell()?.atEnd;
  if (atEnd) atEnd[atEnd.length] = show;
}
