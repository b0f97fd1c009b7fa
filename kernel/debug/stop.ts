/** The program while it is stopped: its frames, scopes and variables. All of it ends when the program goes on. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";
import { evaluationLimit, remoteValue } from "./evaluation.ts";
import { readingAll } from "./expression.ts";
import { type Frame, framesOf } from "./frames.ts";
import { Refusal } from "./refusal.ts";
import type { Scripts } from "./scripts.ts";
import type { Named } from "./values.ts";
import { type ScopeHolder, Variables } from "./variables.ts";

type Paused = Protocol.Debugger.PausedEvent;
type Scope = Protocol.Debugger.Scope;
type CallFrame = Protocol.Debugger.CallFrame;

/** Why the program stopped, in DAP's words. */
export interface Reason {
  reason: string;
  description?: string;
  hitBreakpointIds?: number[];
  exception?: Protocol.Runtime.RemoteObject;
  isUncaught?: boolean;
}

let lastStop = 0;
/** References of one stop are never those of another. */
const referencesPerStop = 1_000_000;
const mostStops = 1000;
const mostFrames = 1000;

export class Stop {
  readonly reason: Reason;
  readonly frames: readonly Frame[];
  readonly variables: Variables;
  /** Whether the front end has heard of it. */
  isTold = false;
  readonly #inspector: HostInspector;
  readonly event: Paused;
  readonly #firstId: number;
  /** Whether the person may have changed variables since. */
  #isChanged = false;
  /** A part of the frames' ids. JupyterLab asks for the variables of a frame again when its id is another. */
  #version = 0;

  constructor(
    event: Paused,
    reason: Reason,
    inspector: HostInspector,
    scripts: Scripts,
    isOwn: (name: string) => boolean,
  ) {
    this.reason = reason;
    this.event = event;
    this.#inspector = inspector;
    this.frames = framesOf(event, scripts).slice(0, mostFrames);
    this.#firstId = (lastStop++ % mostStops) * referencesPerStop + 1;
    this.variables = new Variables(inspector, (expression) => this.evaluateOnTop(expression), isOwn, this.#firstId);
  }

  get #top(): string {
    return this.event.callFrames[0]!.callFrameId;
  }

  stackTrace(start = 0, levels = 0): DebugProtocol.StackTraceResponse["body"] {
    const end = levels > 0 ? start + levels : undefined;
    const stackFrames = this.frames.map(
      ({ name, script, position }, index): DebugProtocol.StackFrame => ({
        id: this.#firstId + this.#version * mostFrames + index,
        name,
        source: { name: script.source.name, path: script.source.path },
        ...position,
      }),
    );
    return { stackFrames: stackFrames.slice(start, end), totalFrames: stackFrames.length };
  }

  /** Throws a `Refusal` for an id that is not that of a frame of this stop. */
  frame(id: number): Frame {
    const at = id - this.#firstId;
    const frame = at >= 0 && at < referencesPerStop ? this.frames[at % mostFrames] : undefined;
    if (!frame) throw new Refusal("There is no such frame: the program has gone on since.");
    return frame;
  }

  /** `globals` are the names of the person's properties of the global object. */
  scopes(id: number, globals: readonly string[]): DebugProtocol.Scope[] {
    const { call, isTop } = this.frame(id);
    if (!call) return [];
    const scopes: DebugProtocol.Scope[] = [];
    for (const { name, parts, extra } of groupsOf(call, isTop)) {
      const objects = parts.map(({ number, scope }) => {
        return { number, objectId: scope.object.objectId!, isShared: scope.type === "script" };
      });
      const reference = this.variables.add({
        kind: "scope",
        call: call.callFrameId,
        extra,
        parts: objects,
        current: (names) => this.#current(call, names, objects),
      });
      const hint = name === "Local" ? { presentationHint: "locals" } : {};
      scopes.push({ name, variablesReference: reference, expensive: false, ...hint });
    }
    if (globals.length > 0) {
      const variablesReference = this.variables.add({ kind: "names", names: [...globals] });
      scopes.push({ name: "Global", variablesReference, expensive: false });
    }
    return scopes;
  }

  /** Evaluates JavaScript on a frame; `sideEffects: false` refuses code that changes something. */
  async evaluate(expression: string, callFrameId: string, sideEffects = true): Promise<Protocol.Runtime.RemoteObject> {
    if (sideEffects) this.#isChanged = true;
    return remoteValue(
      this.#inspector.post("Debugger.evaluateOnCallFrame", {
        callFrameId,
        expression,
        generatePreview: true,
        silent: true,
        objectGroup: "stop",
        timeout: evaluationLimit,
        throwOnSideEffect: !sideEffects,
      }),
    );
  }

  /** Frames get other ids: their variables may have changed. The ids before stay valid. */
  renew(): void {
    this.#version = (this.#version + 1) % (referencesPerStop / mostFrames);
  }

  evaluateOnTop(expression: string): Promise<Protocol.Runtime.RemoteObject> {
    return this.evaluate(expression, this.#top);
  }

  /** Gives a variable of a scope the held value. Throws a `Refusal` for a constant, or a name that an inner scope has too. */
  async assign({ call, parts }: ScopeHolder, name: string): Promise<void> {
    const frame = this.event.callFrames.find(({ callFrameId }) => callFrameId === call);
    const hidden = frame ? await this.#hiddenNames(frame, parts) : new Set();
    if (hidden.has(name)) throw new Refusal(`${name} of an inner scope hides this one, so it cannot be changed here.`);
    await this.evaluate(`${name}=${this.#inspector.hostName}_debug.held(0)`, call);
  }

  async #current(call: CallFrame, names: readonly string[], parts: ScopeHolder["parts"]): Promise<Named[]> {
    if (!this.#isChanged) return [];
    const hidden = await this.#hiddenNames(call, parts);
    const { objectId } = await this.evaluate(readingAll(names.filter((name) => !hidden.has(name))), call.callFrameId);
    return objectId ? this.variables.ownValues(objectId) : [];
  }

  /** The names of the scopes within these: an expression on the frame finds those. */
  async #hiddenNames({ scopeChain }: CallFrame, parts: ScopeHolder["parts"]): Promise<Set<string>> {
    const hidden = new Set<string>();
    for (const { object } of scopeChain.slice(0, Math.min(...parts.map(({ number }) => number))))
      if (object.objectId) for (const { name } of await this.variables.ownValues(object.objectId)) hidden.add(name);
    return hidden;
  }
}

interface Group {
  name: string;
  parts: { number: number; scope: Scope }[];
  extra: Named[];
}

/** V8's scopes as a person thinks of them: a function's blocks are one scope. */
function groupsOf(call: Protocol.Debugger.CallFrame, isTop: boolean): Group[] {
  const groups: Group[] = [];
  for (const [number, scope] of call.scopeChain.entries()) {
    const name = scopeNames[scope.type];
    // The function around a cell's statement is the compiler's.
    if (!name || !scope.object.objectId || (isTop && scope.type === "local")) continue;
    const last = groups.at(-1);
    if (last?.name === name && name !== "Closure") last.parts.push({ number, scope });
    else groups.push({ name, parts: [{ number, scope }], extra: [] });
  }
  const local = groups.find(({ name }) => name === "Local");
  if (local && call.returnValue) local.extra.push({ name: "(return value)", value: call.returnValue });
  if (local && !isTop && call.this.type !== "undefined" && call.this.className !== "global")
    local.extra.push({ name: "this", value: call.this });
  return groups;
}

const scopeNames: Partial<Record<Scope["type"], string>> = {
  local: "Local",
  block: "Local",
  catch: "Local",
  with: "Local",
  closure: "Closure",
  module: "Module",
  script: "Cells",
};
