/** What a debugger sees of a session. */
import type { Output } from "../protocol/output.ts";

/** A cell as the host runs it. */
export interface CellScript {
  id: number;
  /** How messages call it: `cell [3]`. */
  label: string;
  /** As it was typed. */
  source: string;
  /** As TypeScript, line for line. */
  code: string;
  /** What V8 runs. */
  script: string;
  /** Source maps as JSON. A position in the script is mapped through each in order, back to `code`. */
  maps: readonly string[];
  /** The global that holds the host's functions. */
  host: string;
}

/** A debugger that is attached to a session. Without one, cells run as if there were none. */
export interface AttachedDebugger {
  /** Whether the program is stopped, at a breakpoint for example. It then answers no calls. */
  readonly isStopped: boolean;
  /** A cell is about to run: it waits until its breakpoints are set. */
  beforeCell(cell: CellScript, onOutput: (output: Output) => void): Promise<void>;
  /** Running cells are about to be interrupted, which lets stopped code go on. */
  interrupted(): void;
  /** The host has ended; the session has another. */
  hostEnded(): void;
  /** The program passed a log point. */
  logged(point: number, text: string): void;
  /** All that the program wrote before this stop has come. */
  wroteBefore(stop: number): void;
}
