import { counted } from "../base/counted.ts";
import { UserError } from "../base/user-error.ts";
import { OTHER_MACHINE_TOLERANCE, type Verified, verifyNotebook } from "../notebook/verify.ts";
import { ProgressBoard } from "./cell-progress.ts";
import { stopOnSignal } from "./stop.ts";

export interface VerifyFlags {
  folder?: string;
  tolerance?: number;
  timeout?: number;
}

/** `halftone verify`: exit status 1 if a cell's outputs differ. */
export async function verify(file: string, flags: VerifyFlags): Promise<void> {
  if (!file.endsWith(".ipynb")) throw new UserError(`${file} is not a notebook: give the executed .ipynb file.`);
  const board = new ProgressBoard();
  board.say(file);
  const progress = board.notebook();
  const stop = stopOnSignal();
  const result = await verifyNotebook(file, {
    ...flags,
    signal: stop.signal,
    onCellStart: progress.start,
    onCellEnd: progress.end,
  });
  if (result.interrupted) {
    console.error("Interrupted before the comparison was complete.");
    process.exitCode = stop.exitCode();
    return;
  }
  for (const warning of result.warnings) console.error(`Warning: ${warning}.`);
  for (const text of differences(result)) console.log(text);
  console.log(summary(result));
  process.exitCode = result.differing.length > 0 ? 1 : 0;
}

function differences({ differing }: Verified): string[] {
  return differing.map(({ cell, number, what, before, after }) => {
    const lines = before === undefined ? [] : [`  - ${clipped(before)}`, `  + ${clipped(after ?? "")}`];
    const firstLine = cell.source.split("\n").find((line) => line.trim() !== "") ?? "";
    return [`Cell ${number} (${cell.id}: ${clipped(firstLine, 50)}) differs: ${what}`, ...lines].join("\n");
  });
}

function summary({ compared, byKind, differing, tolerance }: Verified): string {
  const criteria = [
    tolerance === 0
      ? "exactly"
      : `numbers within ${tolerance}${tolerance === OTHER_MACHINE_TOLERANCE ? ", because this is another machine" : ""}`,
    ...(byKind > 0 ? [`${byKind} with times only by the kind of output`] : []),
  ].join("; ");
  const cells = `${counted(compared, "cell")} with outputs`;
  return differing.length === 0
    ? `Unchanged: ${cells} (${criteria}).`
    : `${differing.length} of ${cells} differ (${criteria}).`;
}

function clipped(text: string, maxLength = 160): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}
