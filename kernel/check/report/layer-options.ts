import { expectedArgument } from "../../../src/base/layer-examples.ts";
import type { TypeProblem } from "./problem.ts";

/** An argument more than the options, or a number in their place. */
const tooMany = /^Expected 1(?:-\d)? arguments?, but got \d/;
const aNumber = /^\s*Argument of type '(?:number|-?[\d.]+)' is not assignable/m;

/**
 * A layer of the library that is called with sizes one by one, as in PyTorch, is answered by the options that it takes. `text` is
 * the cell's.
 */
export function suggestOptions(problem: TypeProblem, text: string, isImport: (name: string) => boolean): void {
  const { message, reasons, line, column } = problem;
  const isTooMany = tooMany.test(message);
  if (!isTooMany && !aNumber.test([message, ...reasons].join("\n"))) return;
  const before = text.split("\n").slice(0, line);
  before.push(before.pop()!.slice(0, column - 1));
  const { name, first } = callAround(before.join("\n"));
  const sentence = expectedArgument(name);
  if (sentence === undefined || !isImport(name) || !(isTooMany || first)) return;
  reasons.unshift(message);
  problem.message = `${sentence}.`;
}

/** The function whose arguments the text ends in, and whether it ends before the first of them. */
function callAround(text: string): { name: string; first: boolean } {
  let depth = 0;
  let at = text.length - 1;
  for (; at >= 0; at--) {
    if (")]}".includes(text[at]!)) depth++;
    else if ("([{".includes(text[at]!) && depth-- === 0) break;
  }
  const name = /([\w$]+)\s*$/.exec(text.slice(0, Math.max(0, at)))?.[1] ?? "";
  return { name: text[at] === "(" ? name : "", first: text.slice(at + 1).trim() === "" };
}
