import { findSourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

type Prepare = typeof Error.prepareStackTrace;

/** Code that is not the user's: this library, wherever it is installed, tfjs, and Node. */
const own = new URL("../", import.meta.url).href;
const foreign = /^node:|[\\/]node_modules[\\/]@tensorflow[\\/]/;

let found: NodeJS.CallSite | undefined;
/** A `prepareStackTrace` that stores the first frame of the user's code in `found`. */
const first: Prepare = (_, frames) => {
  found = frames.find((frame) => {
    const file = frame.getScriptNameOrSourceURL() ?? "";
    return file !== "" && !file.startsWith(own) && !foreign.test(file);
  });
  return "";
};
/** The text of each frame already seen. */
const texts = new Map<string, string>();

/**
 * The line of the user's code that is running: `file:line:column`, or in a notebook `cell [3]:2:7`. Most of its time goes into
 * walking the stack out of tfjs.
 */
export function currentSite(): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: string } = {};
  try {
    Error.prepareStackTrace = first;
    Error.stackTraceLimit = 60;
    Error.captureStackTrace(holder, currentSite);
    void holder.stack;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
  const frame = found;
  found = undefined;
  if (!frame) return undefined;
  const raw = `${frame.getScriptNameOrSourceURL()}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  let text = texts.get(raw);
  if (text === undefined) {
    text = shown(frame, raw, prepareStackTrace);
    texts.set(raw, text);
  }
  return text;
}

function shown(frame: NodeJS.CallSite, raw: string, prepare: Prepare): string {
  const file = frame.getScriptNameOrSourceURL() ?? "";
  if (!file.startsWith("file:") && !path.isAbsolute(file)) {
    // In a cell, the host's prepareStackTrace gives the cell's own lines.
    const text = prepare ? String(prepare(new Error(), [frame])) : raw;
    return /(cell \[[^\]]*\]:\d+:\d+)/.exec(text)?.[1] ?? raw;
  }
  const line = frame.getLineNumber() ?? 1;
  const column = frame.getColumnNumber() ?? 1;
  const place = findSourceMap(file)?.findOrigin?.(line, column);
  const from = place && "fileName" in place ? place : undefined;
  const name = from?.fileName ?? file;
  const shownPath = path.relative("", name.startsWith("file:") ? fileURLToPath(name) : name);
  return `${shownPath}:${from?.lineNumber ?? line}:${from?.columnNumber ?? column}`;
}
