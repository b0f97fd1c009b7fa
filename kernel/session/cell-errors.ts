import type { Diagnostic } from "../compile/diagnostic.ts";
import type { Output } from "../protocol/output.ts";

/** How many of a cell's syntax errors are shown. */
const mostShown = 5;

export function syntaxError(label: string, diagnostics: Diagnostic[]): Output {
  const first = diagnostics[0]!;
  const evalue = `${first.message} (${label}:${first.line}:${first.column})`;
  const traceback = diagnostics.slice(0, mostShown).flatMap(({ message, frame, line, column }) => {
    return [`SyntaxError: ${message}`, "", frame, "", `    at ${label}:${line}:${column}`];
  });
  return { type: "error", ename: "SyntaxError", evalue, traceback };
}

const valueless =
  /^(?:Cannot access ')?([\p{ID_Continue}$]{1,200})(?:' before init| is not (?:defined|a function|a constructor))/u;

/** An error about a name without a value, with the cell that would have given it one, as in a type error. */
export function withReason(output: Output, reasonOf: (name: string) => string | undefined): Output {
  if (output.type !== "error" || !/^(?:Reference|Type)Error$/.test(output.ename)) return output;
  const name = valueless.exec(output.evalue)?.[1];
  const reason = name === undefined ? undefined : reasonOf(name);
  if (reason === undefined) return output;
  const [headline = "", ...rest] = output.traceback;
  return { ...output, traceback: [headline, `  ${reason}`, ...rest] };
}
