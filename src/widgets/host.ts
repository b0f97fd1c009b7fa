/** What a notebook's process offers to widgets. In a script nothing does: a widget then only holds its state. */
import type { OutputMessage } from "../display/output-log.ts";

interface Message {
  data: Record<string, unknown>;
  buffers: Uint8Array[];
}

/** A comm of the kernel. */
export interface Line {
  readonly id: string;
  readonly closed: boolean;
  send(data: object, options?: { buffers?: Uint8Array[] }): void;
  close(): void;
  onMessage(listener: (message: Message) => void): unknown;
  onClose(listener: () => void): unknown;
}

/** `globalThis[Symbol.for("halftone.widgetHost")]`. */
export interface WidgetHost {
  /** Opens the comm of a widget. */
  open(data: object, buffers: Uint8Array[]): Line;
  /** Shows an error in the running cell. */
  report(error: unknown): void;
  /** Whether a page that shows widgets has the notebook open, and a person can answer. */
  isShown(): boolean;
  /** Whether a person can answer in the running cell. */
  isAttended(): boolean;
  /** Calls back before the running cell ends; false when no cell runs. */
  beforeCellEnds(action: () => void): boolean;
  /** Runs code whose outputs, also the later ones, go to `receive` instead of the cell. */
  capture<R>(receive: (output: OutputMessage) => void, action: () => R): R;
  /** Describes an error as a cell's output. */
  describe(error: unknown): OutputMessage | undefined;
  /** The text of a function of a cell as a page can run it. */
  browserCode(code: string): string;
  /** The mime bundle of a value, as of a cell's result. */
  render(value: unknown): Promise<Record<string, unknown>>;
}

/** A function that makes `action` run once before the running cell ends, however often it is called meanwhile. */
export function onceBeforeCellEnds(action: () => void): () => void {
  let waits = false;
  const atEnd = (): void => {
    waits = false;
    action();
  };
  return () => {
    if (!waits) waits = widgetHost()?.beforeCellEnds(atEnd) === true;
  };
}

export function widgetHost(): WidgetHost | undefined {
  return (globalThis as unknown as Record<symbol, WidgetHost | undefined>)[Symbol.for("halftone.widgetHost")];
}
