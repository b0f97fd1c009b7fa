import { UserError } from "../base/user-error.ts";
import { ELSEWHERE, type Verified, verifyNotebook } from "../notebook/verify.ts";
import { ProgressBoard } from "./cell-progress.ts";
import { stopOnSignal } from "./stop.ts";

export interface VerifyFlags {
  folder?: string;
  tolerance?: number;
  timeout?: number;
}

/** `halftone verify`: exit status 1 when a cell says something else than it did. */
export async function verify(file: string, flags: VerifyFlags): Promise<void> {
  if (!file.endsWith(".ipynb")) throw new UserError(`${file} is not a notebook: name the executed .ipynb file.`);
  const board = new ProgressBoard();
  board.say(file);
  const progress = board.notebook();
  const stop = stopOnSignal();
  const found = await verifyNotebook(file, {
    ...flags,
    signal: stop.signal,
    onCellStart: progress.start,
    onCellEnd: progress.end,
  });
  if (found.interrupted) {
    console.error("Interrupted before the comparison was complete.");
    process.exitCode = stop.exitCode();
    return;
  }
  for (const warning of found.warnings) console.error(`Warning: ${warning}.`);
  for (const text of differences(found)) console.log(text);
  console.log(summary(found));
  process.exitCode = found.differing.length > 0 ? 1 : 0;
}

function differences({ differing }: Verified): string[] {
  return differing.map(({ cell, number, what, before, after }) => {
    const lines = before === undefined ? [] : [`  - ${clipped(before)}`, `  + ${clipped(after ?? "")}`];
    const begins = cell.source.split("\n").find((line) => line.trim() !== "") ?? "";
    return [`Cell ${number} (${cell.id}: ${clipped(begins, 50)}) differs: ${what}`, ...lines].join("\n");
  });
}

function summary({ compared, byKind, differing, tolerance }: Verified): string {
  const how = [
    tolerance === 0
      ? "exactly"
      : `numbers within ${tolerance}${tolerance === ELSEWHERE ? ", because this is another machine" : ""}`,
    ...(byKind > 0 ? [`${byKind} with times only by the kind of output`] : []),
  ].join("; ");
  const cells = `${compared} ${compared === 1 ? "cell" : "cells"} with outputs`;
  return differing.length === 0 ? `Unchanged: ${cells} (${how}).` : `${differing.length} of ${cells} differ (${how}).`;
}

function clipped(text: string, most = 160): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
