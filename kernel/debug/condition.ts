/** When a breakpoint stops: its condition, its hit count and its log message as one expression for V8. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { compileExpression, compileLogMessage } from "./expression.ts";
import { Refusal } from "./refusal.ts";

export interface Requested {
  line: number;
  column?: number;
  condition?: string;
  hitCondition?: string;
  logMessage?: string;
}

/** The parts of a request that count; empty texts are as none. */
export function readRequested(given: DebugProtocol.SourceBreakpoint): Requested {
  const { line, column, condition, hitCondition, logMessage } = given;
  return {
    line,
    ...(column === undefined ? {} : { column }),
    ...(condition ? { condition } : {}),
    ...(hitCondition ? { hitCondition } : {}),
    ...(logMessage ? { logMessage } : {}),
  };
}

/** Throws a `Refusal` when a part of the request is not valid. */
export function checkRequested(requested: Requested): void {
  testOf(requested, 0, "host");
}

/**
 * The expression that V8 evaluates each time that code passes a place, and stops if it is true, for all breakpoints there. `number`
 * is that under which the host counts, logs and reports. Undefined where it always stops.
 */
export function conditionOf(points: readonly { requested: Requested; number: number }[], host: string) {
  const tests = points.map(({ requested, number }) => ({ number, test: testOf(requested, number, host) }));
  if (tests.every(({ test }) => test === undefined)) return undefined;
  return `${host}_debug.passes([${tests.map(({ number, test }) => (test ? `[${number},()=>${test}]` : `[${number}]`))}])`;
}

/** When a single breakpoint stops; undefined for a plain one. */
function testOf({ condition, hitCondition, logMessage }: Requested, number: number, host: string): string | undefined {
  const parts: string[] = [];
  if (condition) parts.push(`(${compileExpression(condition)})`);
  if (hitCondition) parts.push(hitTest(hitCondition, `${host}_debug.hit(${number})`));
  if (logMessage) parts.push(`${host}_debug.log(${number},${compileLogMessage(logMessage)})`);
  return parts.length === 0 ? undefined : parts.join("&&");
}

const hitForm = /^\s*(>=|<=|===?|>|<|=|%)?\s*(\d{1,15})\s*$/;

/** `5`, `== 5`, `>= 5`, `% 5`: as in VS Code. */
function hitTest(text: string, count: string): string {
  const [, operator = "==", number] = hitForm.exec(text) ?? [];
  if (number === undefined || (operator === "%" && Number(number) === 0))
    throw new Refusal(`The hit count must be a number, such as 5, >= 5 or % 5, got ${JSON.stringify(text)}.`);
  if (operator === "%") return `(${count}%${Number(number)}===0)`;
  return `(${count}${/^=+$/.test(operator) ? "===" : operator}${Number(number)})`;
}
