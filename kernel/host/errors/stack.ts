import { readFileSync, Stats, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { cellUrlScheme as scheme } from "../../protocol/cell-url.ts";
import {
  apply,
  defineProperty,
  endsWith,
  exec,
  indexOf,
  intrinsics,
  linesOf,
  slice,
  startsWith,
  Table,
  WeakTable,
} from "../primordials.ts";
import { findCell, type HostCell } from "../run/cells.ts";

/** A position in the user's code. */
export interface SourceLocation {
  /** `cell [3]` or a file's path. */
  where: string;
  line: number;
  column: number;
  /** The whole text, for a code frame. */
  source: string | undefined;
}

/** Frames below those of this file belong to the code that runs the cell. */
const evaluatorFile = new URL("../run/evaluate.js", import.meta.url).href;
/** The kernel's folder in the build. Frames from it are never shown. */
const kernelFolder = new URL("../../", import.meta.url).href;
const packageFolder = new URL("../../../", import.meta.url).href;

/**
 * Makes `error.stack` name cells, with their own lines and columns. The limit is higher than V8's ten frames, so that a trace
 * from deep inside a library reaches the cell.
 */
export function installStackTraces(): void {
  Error.stackTraceLimit = 50;
  defineProperty(Error, "prepareStackTrace", {
    value: prepareStackTrace,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

/** Formats an error's stack now with the host's function, even when the user has replaced `Error.prepareStackTrace`. */
export function writeStack(error: Error): void {
  try {
    withErrorProperty("prepareStackTrace", prepareStackTrace, () => error.stack);
  } catch {
    // User code has broken a built-in that the host needs.
  }
}

/** Whether code other than the host's, including Node's, is on the stack below the caller. */
export function isCalledFromCode(): boolean {
  return countFrames(isForeign) > 0;
}

/** Whether user or package code is on the stack, and so continues when the caller returns. */
export function isAboveCode(): boolean {
  return countFrames((file) => isForeign(file) && !startsWith(file, "node:")) > 0;
}

function countFrames(counts: (file: string) => boolean): number {
  const stack = stackHere();
  let count = 0;
  if (typeof stack === "string") {
    // V8 formats a stack itself when it is read while another is being formatted, for example in an error's getter.
    const lines = linesOf(stack);
    for (let index = 1; index < lines.length; index++) {
      const file = exec(frameLine, lines[index]!)?.[2];
      if (file && counts(file)) count++;
    }
    return count;
  }
  for (let index = 0; index < stack.length; index++) {
    const file = stack[index]!.getScriptNameOrSourceURL();
    if (file && counts(file)) count++;
  }
  return count;
}

function stackHere(): string | NodeJS.CallSite[] {
  const holder: { stack?: unknown } = {};
  return withErrorProperty("stackTraceLimit", 24, () =>
    withErrorProperty("prepareStackTrace", sitesOf, () => {
      captureStackTrace(holder);
      return holder.stack as string | NodeJS.CallSite[];
    }),
  );
}
const sitesOf = (_: unknown, sites: NodeJS.CallSite[]): NodeJS.CallSite[] => sites;

/** Reads while `Error` has this property. One that a cell has frozen stays, and a cell's accessors are not called. */
function withErrorProperty<Result>(name: keyof typeof Error, value: unknown, read: () => Result): Result {
  const before = getOwnPropertyDescriptor(ErrorBefore, name);
  redefine(ErrorBefore, name, { value, configurable: true, writable: true });
  try {
    return read();
  } finally {
    if (before) redefine(ErrorBefore, name, before);
    else deleteProperty(ErrorBefore, name);
  }
}
const { getOwnPropertyDescriptor, deleteProperty, defineProperty: redefine } = Reflect;
const ErrorBefore = Error;
const captureStackTrace = Error.captureStackTrace;

/** Whether a file is not part of the kernel. */
function isForeign(file: string): boolean {
  return !startsWith(file, kernelFolder);
}

function prepareStackTrace(error: unknown, sites: NodeJS.CallSite[]): string {
  let stack: string;
  try {
    stack = `${errorToString(error)}`;
  } catch {
    stack = "<error>";
  }
  for (let index = 0; index < sites.length; index++) {
    const site = sites[index]!;
    const file = site.getScriptNameOrSourceURL() || site.getFileName();
    if (file === evaluatorFile) break;
    if (file && (startsWith(file, kernelFolder) || startsWith(file, "node:inspector"))) continue;
    stack += `\n    at ${describeSite(site, file)}`;
  }
  return stack;
}

const errorToString = (error: unknown): string => Function.prototype.call.call(toStringOfError, error) as string;
const toStringOfError = Error.prototype.toString;

/** V8 names a function by where it stands, also in the object through which a cell's script gives its last value. */
const scriptsOwn = /__halftone_\w+\.value\./;

function describeSite(site: NodeJS.CallSite, file: string | null): string {
  const full = site.toString();
  const own = exec(scriptsOwn, full);
  const text = own ? slice(full, 0, own.index) + slice(full, own.index + own[0].length) : full;
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!file || !line || !column) return text;
  const place = startsWith(file, scheme) ? placeInScript(file, line, column) : placeInFile(file, line, column);
  if (!place) return text;
  const raw = `${file}:${line}:${column}`;
  const at = indexOf(text, raw);
  if (at === -1) return text;
  return `${slice(text, 0, at)}${place.where}:${place.line}:${place.column}${slice(text, at + raw.length)}`;
}

/** Maps a line and column of a compiled script (both from 1) to the cell's. */
export function placeInScript(url: string, line: number, column: number): SourceLocation | undefined {
  const cell = findCell(intrinsics.Number(slice(url, scheme.length)));
  return cell && placeThrough(mapsOf(cell), { where: cell.label, line, column, source: cell.source });
}

/** Whether an error's stack contains a frame of the user's code. */
export function hasPlace(error: Error): boolean {
  const frames = readFrames(error.stack ?? "");
  for (let index = 0; index < frames.length; index++) if (frames[index]!.place) return true;
  return false;
}

/** The position, in a cell's source, of the `await` at which its code waits. */
export function placeOfAwait(cell: HostCell): SourceLocation | undefined {
  const { waitsAt, label: where, source } = cell;
  if (!waitsAt) return undefined;
  const maps = mapsOf(cell);
  const later: TraceMap[] = [];
  for (let index = 1; index < maps.length; index++) later[index - 1] = maps[index]!;
  return placeThrough(later, { where, ...waitsAt, source });
}

/** Maps a position in one of the user's files, which may have been compiled. */
function placeInFile(url: string, line: number, column: number): SourceLocation | undefined {
  const query = indexOf(url, "?v=");
  if (query === -1 || !startsWith(url, "file:")) return undefined;
  const path = fileURLToPath(slice(url, 0, query));
  const map = mapOfFile(path);
  return placeThrough(map ? [map] : [], { where: path, line, column, source: undefined });
}

function placeThrough(maps: readonly TraceMap[], place: SourceLocation): SourceLocation {
  let at = { line: place.line, column: place.column - 1 };
  for (let index = 0; index < maps.length; index++) {
    const found = originalPositionFor(maps[index]!, at);
    if (found.line === null) return { ...place, line: 1, column: 1 };
    at = { line: found.line, column: found.column };
  }
  return { ...place, line: at.line, column: at.column + 1 };
}

/** Returns the source map of one of the user's files. */
let mapOfFile: (path: string) => TraceMap | undefined = () => undefined;

/** `compile` returns a file's source map as JSON, or undefined when the file runs without being compiled. */
export function useFileMaps(compile: (path: string) => string | undefined): void {
  mapOfFile = (path) => {
    try {
      const map = compile(path);
      return map ? new TraceMap(map) : undefined;
    } catch {
      return undefined;
    }
  };
}

const placesOfErrors = new WeakTable<object, SourceLocation>();

/** Records the position in a cell for an error whose stack does not contain it. */
export function placeError(error: unknown, place: SourceLocation): void {
  if (typeof error === "object" && error !== null) placesOfErrors.set(error, place);
}

export function placeOfError(error: object): SourceLocation | undefined {
  return placesOfErrors.get(error);
}

const decoded = new WeakTable<HostCell, TraceMap[]>();
function mapsOf(cell: HostCell): TraceMap[] {
  let maps = decoded.get(cell);
  if (!maps) {
    maps = [];
    for (let index = 0; index < cell.maps.length; index++) maps[index] = new TraceMap(cell.maps[index]!);
    decoded.set(cell, maps);
  }
  return maps;
}

export interface StackFrame {
  /** The frame's text in the stack, without `at`. */
  text: string;
  /** Whether the frame belongs to Node itself. */
  isInternal: boolean;
  /** Set when the frame belongs to the user's code. */
  place: SourceLocation | undefined;
}

const frameLine = /^ {4}at (?:(.*) \()?(.+?):(\d+):(\d+)\)?$/;
const cellLabel = /^cell \[([^\]]*)\]$/;

/** Parses the frames of an error's stack from its text. */
export function readFrames(stack: string): StackFrame[] {
  const frames: StackFrame[] = [];
  const lines = linesOf(stack);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (!startsWith(line, "    at ")) continue;
    const match = exec(frameLine, line);
    const place = match ? ownPlace(match[2]!, intrinsics.Number(match[3]), intrinsics.Number(match[4])) : undefined;
    frames[frames.length] = { text: slice(line, 7), place, isInternal: indexOf(line, "node:") !== -1 };
  }
  return frames;
}

function ownPlace(file: string, line: number, column: number): SourceLocation | undefined {
  if (startsWith(file, "async ")) file = slice(file, 6);
  if (exec(cellLabel, file)) return { where: file, line, column, source: findByLabel(file)?.source };
  if (startsWith(file, "node:") || indexOf(file, "/node_modules/") !== -1) return undefined;
  if (startsWith(file, packageFolder)) return undefined;
  const path = startsWith(file, "file://") ? fileURLToPath(file) : file;
  if (!startsWith(path, "/") && !exec(/^[A-Za-z]:\\/, path)) return undefined;
  return { where: path, line, column, source: readSource(path) };
}

function findByLabel(label: string): HostCell | undefined {
  return labels.get(label);
}

const labels = new Table<string, HostCell>();
export function nameCell(cell: HostCell): void {
  labels.set(cell.label, cell);
}

/** Forgets cells. Traces through them are from then on as V8 writes them. */
export function forgetCells(cells: readonly HostCell[]): void {
  for (let index = 0; index < cells.length; index++) {
    const { label } = cells[index]!;
    if (labels.get(label) === cells[index]) labels.delete(label);
  }
}

const { isFile } = Stats.prototype;
const longestSource = 10 << 20;

function readSource(path: string): string | undefined {
  if (endsWith(path, ".node")) return undefined;
  try {
    // User code can set `stack` to any text, so the path may be a device that never ends.
    const file = statSync(path);
    return apply(isFile, file, []) && file.size < longestSource ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
