import { writeSync } from "node:fs";
import { describeSafely } from "../errors/errors.ts";

const abort = process.abort.bind(process);

/**
 * Ends this process when it cannot tell the session how a cell ended. The session then reports the process's end in the cell, with
 * this text, and nobody waits for an answer.
 */
export function giveUp(error: unknown): never {
  try {
    const { ename, evalue } = describeSafely(error);
    writeSync(
      2,
      `FATAL ERROR: a cell has changed a built-in of JavaScript or Node that the kernel needs: ${ename}: ${evalue}\n`,
    );
  } catch {
    // Nothing can be written either.
  }
  return abort();
}
