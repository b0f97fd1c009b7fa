import { codeFrame } from "../../compile/diagnostic.ts";
import type { TypeProblem } from "./problem.ts";

/** How many problems are shown; the rest are counted. */
const most = 5;
/** The most reasons shown. A longer chain is folded to its first and its last, which names the actual mismatch. */
const unfolded = 3;

/** The problems as lines of text: the message, the place in the code, the reasons in short. */
export function describeProblems(problems: readonly TypeProblem[], source: string, label: string): string[] {
  const lines = problems.slice(0, most).flatMap((each, index) => {
    const { line, column, endLine, endColumn } = each;
    const length = endLine === line ? endColumn - column : Number.POSITIVE_INFINITY;
    const kind = each.severity === "error" ? "Type error" : "Type warning";
    return [
      ...(index > 0 ? [""] : []),
      `${kind}: ${each.message} (TS${each.code})`,
      ...fold(each.reasons).map((reason) => `  ${reason}`),
      "",
      codeFrame(source, line, column, length),
      "",
      `    at ${label}:${line}:${column}`,
    ];
  });
  const rest = problems.length - most;
  return rest > 0 ? [...lines, "", `(${rest} more)`] : lines;
}

/** The same in one line. */
export function summarize(problems: readonly TypeProblem[], label: string): string {
  const first = problems[0]!;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return `${first.message} (${label}:${first.line}:${first.column})${more}`;
}

function fold(reasons: readonly string[]): string[] {
  if (reasons.length <= unfolded) return reasons.map((reason) => reason);
  return [reasons[0]!, `  … ${reasons.length - 2} steps between …`, `  ${reasons.at(-1)!.trimStart()}`];
}
