import { after } from "node:test";
import { Checker, type CheckerOptions } from "../../kernel/check/checker.ts";
import { temporaryFolder } from "../temporary-folder.ts";

export interface Step {
  code: string;
  /** The front end's name for the cell. */
  key?: string;
  /** The cell is checked and does not run. */
  refused?: boolean;
  /** It runs and ends in an error. */
  fails?: boolean;
}

/** Longer than any machine is busy: what is tested is what the checker says, not how fast. */
export const patience = 120_000;

export function openChecker(options: Partial<CheckerOptions> = {}): Checker {
  const checker = new Checker({ cwd: temporaryFolder(), patience, ...options });
  after(() => checker[Symbol.asyncDispose]());
  return checker;
}

/** Checks a cell, lets it run, and tells what was found: "ok", or places and TypeScript's numbers, such as `1:5 TS2322`. */
export async function step(checker: Checker, given: string | Step): Promise<string> {
  const { code, key, refused, fails } = typeof given === "string" ? ({ code: given } as Step) : given;
  const { problems, note } = await checker.check(code, { key });
  if (!refused) checker.end(checker.begin(code, { key, label: "cell [1]" }), !fails);
  if (note !== undefined) return `note: ${note}`;
  return problems.map((each) => `${each.line}:${each.column} TS${each.code}`).join(", ") || "ok";
}
