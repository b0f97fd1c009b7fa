import type { CellImport } from "./imports.ts";
import type { CommMessage, Output } from "./output.ts";

/** From the session to the host's main thread, on the pipe `fds.commands`. */
export type Command =
  | {
      type: "execute";
      cell: number;
      /** How frames name the cell: `cell [3]`. */
      label: string;
      /** The front end's own name for the cell, the same at every run. */
      key?: string | undefined;
      /** Whether a person can answer its questions. */
      attended: boolean;
      script: string;
      maps: string[];
      source: string;
    }
  | { type: "input"; request: number; text: string }
  | { type: "input"; request: number; refusal: string }
  /** Asks for the answer of a method that a part of the host registered. */
  | { type: "call"; call: number; method: string; params: unknown };

/** From the host's main thread to the session, on `fds.outputs`, in the order in which things happened. */
export type Event =
  | { type: "ready"; node: string }
  | { type: "output"; cell: number; output: Output }
  | { type: "missing"; imports: CellImport[] }
  /** `waits`: the main thread waits without reading, so the answer has to go to the guard. */
  | { type: "input"; cell: number; request: number; prompt: string; password: boolean; waits?: true }
  | { type: "comm"; cell: number; message: CommMessage }
  | { type: "answer"; call: number; value: unknown }
  | { type: "refused"; call: number; ename: string; evalue: string }
  /** The program passed a log point of the debugger. */
  | { type: "logged"; point: number; text: string }
  | { type: "stopped"; stop: number }
  | { type: "done"; cell: number; status: "ok" | "error"; elapsed: number };

/** From the session to the guard thread, on `fds.guard`. */
export type GuardCommand =
  | { type: "interrupt"; request: number; cells: number[] }
  | { type: "input"; request: number; text: string }
  | { type: "input"; request: number; refusal: string };

/** From the guard thread to the session, on `fds.guard`. */
export type GuardEvent =
  | { type: "memory"; memory: MemoryFigures }
  /** The main thread has listened: the cells of the request have ended. */
  | { type: "interrupted"; request: number };

/** From the session to the guard thread, on `fds.debug`: a request of the Chrome DevTools Protocol, or the debugger's end. */
export type DebugCommand = { type: "post"; id: number; method: string; params: object } | { type: "detach" };

/** From the guard thread to the session, on `fds.debug`: an answer or an event of the Chrome DevTools Protocol. */
export type DebugMessage =
  | { id: number; error: string }
  | { id: number; result: object }
  | { method: string; params: object };

/** Bytes. */
export interface MemoryFigures {
  rss: number;
  heapUsed: number;
  heapLimit: number;
}

/** File descriptors that the host finds open. 1 and 2 are pipes too: what native code and child processes write. */
export const fds = { commands: 3, outputs: 4, guard: 5, debug: 6 } as const;

/** The environment variable in which the host finds its `HostOptions`. */
export const optionsVariable = "HALFTONE_HOST";

export interface HostOptions {
  /** The notebook's folder. */
  cwd: string;
  /** A folder in whose `node_modules` its packages are, instead of in its own. */
  packages?: string | undefined;
  /** The folder of the packages that its cells install, which may not exist yet. */
  own: string;
  /** Whether V8's inspector will be opened for other debuggers, which read the source maps of files in them. */
  inspect?: boolean | undefined;
  /** The global under which compiled cells find the host's functions; it cannot be guessed. */
  hostName: string;
  /** The text that marks a position in native output on fd 1 and 2, so that the session can order it. */
  markerToken: string;
}
