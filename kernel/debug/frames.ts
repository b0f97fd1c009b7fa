/** The call stack, with the person's frames only. */
import type { Protocol } from "devtools-protocol";
import type { Position, ScriptPosition } from "./positions.ts";
import type { OwnScript, Scripts } from "./scripts.ts";
import { functionAt } from "./syntax.ts";

export interface Frame {
  name: string;
  /** Whether it is the cell itself, not a function. */
  isTop: boolean;
  script: OwnScript;
  position: Position;
  /** V8's frame; undefined for a caller that waits for a promise or a timer, whose variables are gone from V8's stack. */
  call: Protocol.Debugger.CallFrame | undefined;
}

type CallFrame = Protocol.Debugger.CallFrame;

/** The frames of the person's code, innermost first; then those that wait for it. */
export function framesOf(
  { callFrames, asyncStackTrace }: Pick<Protocol.Debugger.PausedEvent, "callFrames" | "asyncStackTrace">,
  scripts: Scripts,
): Frame[] {
  const frames: Frame[] = [];
  // The statement of a cell and the script around it are one frame to a person.
  const isListed = (script: OwnScript) => frames.some((each) => each.isTop && each.script === script);
  for (const call of callFrames) {
    const script = scripts.own(call.location.scriptId);
    const position = script?.map.toSource(call.location);
    if (!script || !position) continue;
    const isTop = isTopLevel(script, call.location, call.functionLocation);
    if (isTop && isListed(script)) continue;
    frames.push({ name: nameOf(script, isTop, call), isTop, script, position, call });
  }
  for (let trace = asyncStackTrace; trace; trace = trace.parent)
    for (const call of trace.callFrames) {
      const script = scripts.own(call.scriptId);
      const position = script?.map.toSource(call);
      if (!script || !position) continue;
      const isTop = isTopLevel(script, call);
      if (isTop && isListed(script)) continue;
      frames.push({ name: `async ${nameOf(script, isTop, call)}`, isTop, script, position, call: undefined });
    }
  return frames;
}

function nameOf({ source }: OwnScript, isTop: boolean, { functionName }: { functionName: string }): string {
  return isTop ? source.name : functionName || "(anonymous)";
}

/** Whether code belongs to the cell itself, not to a function of the person's. */
export function isTopLevel(script: OwnScript, at: ScriptPosition, functionAtStart?: ScriptPosition): boolean {
  const { map, cell } = script;
  const start = functionAtStart ? map.offsetOf(functionAtStart) : functionAt(map.text, map.offsetOf(at))?.start;
  if (start === undefined || (cell && start === 0)) return true;
  if (!cell) return functionAtStart ? start === 0 : false;
  return isWrapper(map.text, start, cell.host);
}

/** Whether a function of a cell's script is one in which compilation put a statement, or the whole cell. */
function isWrapper(text: string, start: number, host: string): boolean {
  const before = text.slice(Math.max(0, start - host.length - 40), start);
  return new RegExp(`${host}\\.(?:sync\\(|run\\(\\d+,\\s*)(?:async\\s*)?$`).test(before);
}

/** What a step must do that has landed here: nothing, or one more step. */
export function furtherStep(call: CallFrame, below: readonly CallFrame[], scripts: Scripts): FurtherStep | undefined {
  const script = scripts.own(call.location.scriptId);
  if (!script) return below.some(({ location }) => scripts.own(location.scriptId)) ? "stepOut" : "resume";
  const { map, cell } = script;
  if (!cell) return map.toSource(call.location) ? undefined : "stepOver";
  const rest = map.text.slice(map.offsetOf(call.location));
  if (isTopLevel(script, call.location, call.functionLocation)) {
    // The statement itself is in the function that the host calls.
    if (rest.startsWith(`${cell.host}.sync(`) || rest.startsWith(`${cell.host}.run(`)) return "stepInto";
    // Its end: a person's code cannot return here.
    if (/^(?:[)}]|return\b|$)/.test(rest)) return "stepOver";
  }
  return map.toSource(call.location) ? undefined : "stepOver";
}

export type FurtherStep = "stepInto" | "stepOver" | "stepOut" | "resume";
