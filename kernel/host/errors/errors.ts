import { inspect, types } from "node:util";
import { shorten } from "../../../src/display/shorten.ts";
import { codeFrame } from "../../compile/diagnostic.ts";
import type { Output } from "../../protocol/output.ts";
import { inherits, joinLines, linesOf, makeString, slice, startsWith } from "../primordials.ts";
import type { HostCell } from "../run/cells.ts";
import type { KeyboardInterrupt } from "../run/keyboard-interrupt.ts";
import { hasPlace, placeOfAwait, placeOfError, readFrames, type SourceLocation } from "./stack.ts";

type ErrorOutput = Extract<Output, { type: "error" }>;
const mostFrames = 12;
const mostCauses = 5;

/** The output for a thrown value. `place` is where V8 found a syntax error, which has no frame. */
function describeError(thrown: unknown, place?: SourceLocation): ErrorOutput {
  const { ename, evalue } = nameOf(thrown);
  const lines: string[] = [];
  describe(thrown, place, "", lines, 0);
  return { type: "error", ename, evalue, traceback: lines };
}

/** Like `describeError`, but does not throw when user code has broken built-ins. */
export function describeSafely(thrown: unknown, place?: SourceLocation): ErrorOutput {
  try {
    return describeError(thrown, place);
  } catch {
    const { ename, evalue } = nameOf(thrown);
    return { type: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
  }
}

/** The output for an interrupted cell: where its code was, or what it awaited. */
export function describeInterrupt(cell: HostCell, error: KeyboardInterrupt): ErrorOutput {
  const { name: ename, message: evalue } = error;
  const lines = [`${ename}: ${evalue}; variables are kept`];
  try {
    const { traceback } = describeError(error, hasPlace(error) ? undefined : placeOfAwait(cell));
    for (let index = 1; index < traceback.length; index++) lines[index] = traceback[index]!;
  } catch {
    // User code has broken a built-in that the host needs. The line is left out.
  }
  return { type: "error", ename, evalue, traceback: lines };
}

function nameOf(thrown: unknown): { ename: string; evalue: string } {
  try {
    if (!isError(thrown)) return { ename: "Thrown", evalue: show(thrown) };
    const ename = shorten(makeString(thrown.name || "Error"));
    return { ename, evalue: shorten(makeString(thrown.message ?? "")) };
  } catch {
    return { ename: "Error", evalue: "<the error's own name or message throws>" };
  }
}

function describe(
  thrown: unknown,
  place: SourceLocation | undefined,
  indent: string,
  into: string[],
  depth: number,
): void {
  const { ename, evalue } = nameOf(thrown);
  const headline = isError(thrown)
    ? evalue
      ? `${ename}: ${evalue}`
      : ename
    : `Thrown value that is not an Error: ${evalue}`;
  push(into, indent, headline);
  if (!isError(thrown)) return;
  const frames = readFrames(stackOf(thrown));
  const lines: string[] = [];
  let folded = 0;
  let between = 0;
  let first = place ?? placeOfError(thrown);
  if (first) lines[0] = `${first.where}:${first.line}:${first.column}`;
  for (let index = 0; index < frames.length; index++) {
    const frame = frames[index]!;
    if (!frame.place) {
      if (!frame.isInternal) between++;
    } else if (bare(frame.text) !== lines[lines.length - 1]) {
      // Frames below the last user frame belong to the code that called the user's, and are not counted.
      folded += between;
      between = 0;
      first ??= frame.place;
      if (lines.length < mostFrames) lines[lines.length] = frame.text;
      else folded++;
    }
  }
  if (lines.length === 0) folded = between;
  if (first?.source !== undefined) {
    push(into, indent, "");
    push(into, indent, codeFrame(first.source, first.line, first.column));
    push(into, indent, "");
  }
  for (let index = 0; index < lines.length; index++) push(into, indent, `    at ${lines[index]}`);
  if (folded > 0) push(into, indent, `    (${folded} more ${folded === 1 ? "frame" : "frames"} in Node and packages)`);
  describeRelated(thrown, indent, into, depth);
}

function describeRelated(thrown: Error, indent: string, into: string[], depth: number): void {
  if (depth >= mostCauses) return;
  try {
    if (thrown.cause !== undefined) {
      push(into, indent, "Caused by:");
      describe(thrown.cause, undefined, `${indent}  `, into, depth + 1);
    }
    const { errors } = thrown as { errors?: unknown };
    if (inherits(thrown, aggregateError) && typeof errors === "object" && errors !== null) {
      const each = errors as unknown[];
      for (let index = 0; index < each.length && index < mostFrames; index++) {
        push(into, indent, `Error ${index + 1} of ${each.length}:`);
        describe(each[index], undefined, `${indent}  `, into, depth + 1);
      }
    }
  } catch {
    push(into, indent, "<its cause throws when read>");
  }
}

function bare(frame: string): string {
  return startsWith(frame, "async ") ? slice(frame, "async ".length) : frame;
}

const aggregateError = AggregateError.prototype;
const anyError = Error.prototype;
/** Also true for an error from another thread, which Node copies. */
function isError(value: unknown): value is Error {
  return types.isNativeError(value) || inherits(value, anyError);
}

function stackOf(error: Error): string {
  try {
    const { stack } = error;
    return typeof stack === "string" ? stack : "";
  } catch {
    return "";
  }
}

function show(value: unknown): string {
  try {
    return shorten(inspect(value, { depth: 2, breakLength: 100 }));
  } catch {
    return "<error while it was inspected>";
  }
}

function push(into: string[], indent: string, text: string): void {
  if (indent === "") {
    into[into.length] = text;
    return;
  }
  const lines = linesOf(text);
  for (let index = 0; index < lines.length; index++) lines[index] = indent + lines[index];
  into[into.length] = joinLines(lines);
}
