/** The statement at which a breakpoint stops. */

import { parseSync } from "oxc-parser";
import { counted } from "../../src/base/counted.ts";
import { nestedTooDeeply } from "../compile/nesting.ts";
import { parseCell } from "../compile/parse.ts";
import type { Node } from "../compile/tree.ts";
import { readMagics } from "../magics/rewrite.ts";
import { breakablePositions, nextBreakable } from "./breakable.ts";
import { checkRequested, type Requested } from "./condition.ts";
import type { Position } from "./positions.ts";
import { Refusal } from "./refusal.ts";

/** A source's text; undefined when it is not known. */
export interface SourceText {
  kind: "cell" | "file";
  text: string | undefined;
}

export interface Placed {
  /** Undefined when it stops nowhere. */
  position: Position | undefined;
  /** Why: a sentence. */
  problem: string | undefined;
}

export function place({ kind, text }: SourceText, requested: Requested): Placed {
  try {
    return { position: positionOf(kind, text, requested), problem: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { position: undefined, problem: error.message };
  }
}

function positionOf(kind: SourceText["kind"], text: string | undefined, requested: Requested): Position {
  const { line, column } = requested;
  checkRequested(requested);
  if (text === undefined)
    throw new Refusal(
      kind === "cell"
        ? "The kernel does not know this cell: run it, or send it by dumpCell."
        : "The file cannot be read, so no line of it can be stopped at.",
    );
  const lines = text.split("\n").length;
  if (line < 1) throw new Refusal(`There is no line ${line}: lines count from 1.`);
  if (line > lines) throw new Refusal(`Line ${line} is beyond the end: the ${kind} has ${counted(lines, "line")}.`);
  const found = nextBreakable(positionsIn(kind, text), line, column);
  if (!found) throw new Refusal(`There is no code to stop at on line ${line} or after it.`);
  return found;
}

let latest: { kind: string; text: string; positions: Position[] } | undefined;

function positionsIn(kind: SourceText["kind"], text: string): Position[] {
  if (latest?.text !== text || latest.kind !== kind)
    latest = { kind, text, positions: kind === "cell" ? inCell(text) : inFile(text) };
  return latest.positions;
}

function inCell(source: string): Position[] {
  const { text, body, diagnostics } = parseCell(readMagics(source).code);
  if (diagnostics.length > 0) throw new Refusal("The cell has a syntax error, so no line of it can be stopped at.");
  return breakablePositions(text, body);
}

function inFile(text: string): Position[] {
  if (nestedTooDeeply(text)) throw new Refusal("The file is nested too deeply, so no line of it can be stopped at.");
  const { program, errors } = parseSync("file.tsx", text, { sourceType: "module" });
  const { program: plain } = errors.length > 0 ? parseSync("file.ts", text, { sourceType: "module" }) : { program };
  return breakablePositions(text, plain.body as unknown as Node[]);
}
