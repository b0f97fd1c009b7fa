/** The outputs of a running cell, in order. */

/** Media type to value: text as a string, JSON types as JSON, binary types as base64 (nbformat 4.5, "display_data"). */
export type MimeBundle = Record<string, unknown>;

export type Output =
  | { type: "stream"; name: "stdout" | "stderr"; text: string }
  | { type: "display"; data: MimeBundle; metadata: Record<string, unknown>; displayId?: string }
  | { type: "update"; data: MimeBundle; metadata: Record<string, unknown>; displayId: string }
  | { type: "clear"; wait: boolean }
  | { type: "result"; data: MimeBundle; metadata: Record<string, unknown> }
  | { type: "error"; ename: string; evalue: string; traceback: string[] };

/** A text of the kernel's in a cell. Not on stderr, because graders treat text there as a failure. */
export function textOutput(text: string): Output {
  return { type: "display", data: { "text/plain": text }, metadata: {} };
}

/** An error of the kernel's in a cell, which has no place in the cell's code. */
export function errorOutput(ename: string, evalue: string): Output {
  return { type: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
}

/** One message of a comm, either way. `buffers` are base64. */
export interface CommMessage {
  action: "open" | "message" | "close";
  id: string;
  /** Given with "open". */
  target?: string;
  /** The id of the front end's message: this one, or the one that it was sent in answer to. */
  request?: string;
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  buffers: string[];
}

/**
 * How a cell ended. An interrupted cell ends as an error named `KeyboardInterrupt`, as front ends expect; one that was
 * taken out of the queue before it ran was abandoned.
 */
export interface CellOutcome {
  status: "ok" | "error" | "abandoned";
  executionCount: number;
  /** Wall time in milliseconds, from the evaluation's start to its settled value. */
  elapsed: number;
  /** What a cell that asks for help (`name?`) shows in the front end's pager. */
  page?: MimeBundle;
}
