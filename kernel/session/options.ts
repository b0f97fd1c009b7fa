import type { GateOptions } from "../check/type-check-gate.ts";
import type { CommMessage, Output } from "../protocol/output.ts";
import type { LaunchedHost } from "./launch.ts";

export interface SessionOptions {
  /** The notebook's folder: imports and relative paths start there. */
  cwd: string;
  /** A folder in whose `node_modules` its packages are, instead of in its own and those above. */
  packages?: string;
  /** The host's environment, instead of this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Whether a cell with type errors runs, and by which compiler options it is checked. */
  types?: Pick<GateOptions, "policy" | "compilerOptions" | "patience">;
  /** Whether the notebook was written for Deno's kernel, as its first use of `Deno` also shows. */
  isForDeno?: boolean;
  /** Milliseconds from an interrupt to the end of a host that does not react to it. Default: 5000. */
  interruptGrace?: number;
  /** Whether `waitForInspector` will be called: debuggers then find each cell's source in its script. */
  inspect?: boolean;
  /** A host that was started for this folder and environment before there was a session. */
  launched?: LaunchedHost;
}

export interface InputRequest {
  prompt: string;
  /** The typed text must not be shown. */
  password: boolean;
}

export interface ExecuteOptions {
  /** Called for each of the cell's outputs, in order; also after it ended, for outputs of work that it started. */
  onOutput: (output: Output) => void;
  /** Answers the cell's questions. Without it a question is an error in the cell. */
  onInput?: (request: InputRequest) => Promise<string>;
  /** Interrupts the cell, or takes it out of the queue. */
  signal?: AbortSignal;
  /** Takes no execution count and no place in the history. */
  silent?: boolean;
  /** Default: true, unless silent. */
  storeHistory?: boolean;
  /** When this cell fails, the cells that already wait are abandoned. */
  stopOnError?: boolean;
  /** Cells of one lane run one after another, lanes side by side (Jupyter's subshells). */
  lane?: string | undefined;
  /** The number that the front end shows for the cell, where it counts by itself. */
  executionCount?: number;
  /** Called for each message that the cell, or work that it started, sends on its comms. */
  onComm?: (message: CommMessage) => void;
  /** Called when the cell's types were checked and it begins to run. */
  onStart?: () => void;
  /** The front end's own name for the cell, the same at every run. */
  cellKey?: string | undefined;
}
