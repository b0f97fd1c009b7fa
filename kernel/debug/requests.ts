/** The requests of the debugger by name: what each needs, takes and does. */
import { normalize } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import * as v from "valibot";
import { setVariable } from "./assignment.ts";
import { cellFileSuffix, hashSeed } from "./cell-files.ts";
import { type Debugger, threadId } from "./debugger.ts";
import { exceptionFilters, exceptionInfo } from "./exceptions.ts";
import { copyToGlobals, evaluate, inspectVariables, richInspectVariables } from "./inspection.ts";
import type { Move } from "./motion.ts";
import { Refusal } from "./refusal.ts";

type Schema = v.GenericSchema<unknown, Record<string, unknown>>;

export interface Command<Arguments> {
  arguments: Schema;
  /** Whether it is refused while no debugger is attached. */
  needs?: "attached";
  run(debug: Debugger, given: Arguments): Promise<object | undefined> | object | undefined;
}

function command<S extends Schema>(
  schema: S,
  run: (debug: Debugger, given: v.InferOutput<S>) => Promise<object | undefined> | object | undefined,
  needs?: "attached",
): Command<v.InferOutput<S>> {
  return { arguments: schema, run, ...(needs ? { needs } : {}) };
}

const whole = v.pipe(v.number(), v.integer());
const optionalWhole = v.optional(whole);
const source = v.looseObject({ path: v.optional(v.string()), name: v.optional(v.string()) });
const thread = v.looseObject({ threadId: optionalWhole });

const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  supportsSetVariable: true,
  supportsExceptionInfoRequest: true,
  supportsModulesRequest: true,
  supportsDelayedStackTraceLoading: true,
  exceptionBreakpointFilters: exceptionFilters,
};

const breakpoint = v.looseObject({
  line: whole,
  column: optionalWhole,
  condition: v.optional(v.string()),
  hitCondition: v.optional(v.string()),
  logMessage: v.optional(v.string()),
});

const move = (how: Move) =>
  command(
    thread,
    async (debug) => {
      await debug.move(how);
      return how === "resume" ? { allThreadsContinued: true } : {};
    },
    "attached",
  );

function asShown(debug: Debugger, variables: DebugProtocol.Variable[]): DebugProtocol.Variable[] {
  return debug.showsTypes ? variables : variables.map(({ type, ...rest }) => rest);
}

const definitions = {
  initialize: command(
    v.looseObject({
      clientID: v.fallback(v.optional(v.string()), undefined),
      linesStartAt1: v.optional(v.boolean()),
      columnsStartAt1: v.optional(v.boolean()),
      pathFormat: v.optional(v.string()),
    }),
    (debug, { clientID, linesStartAt1 = true, columnsStartAt1 = true, pathFormat = "path" }) => {
      if (!linesStartAt1 || !columnsStartAt1)
        throw new Refusal(
          "initialize: lines and columns start at 1 here: send linesStartAt1 and columnsStartAt1 as true.",
        );
      if (pathFormat !== "path")
        throw new Refusal(`initialize: pathFormat must be "path", got ${JSON.stringify(pathFormat)}.`);
      // JupyterLab shows a type that it does not know in place of the value.
      debug.showsTypes = clientID !== "jupyterlab";
      return { ...capabilities };
    },
  ),
  attach: command(v.looseObject({}), async (debug) => {
    await debug.attach();
    return {};
  }),
  configurationDone: command(v.looseObject({}), () => ({})),
  disconnect: command(v.looseObject({}), async (debug) => {
    await debug.detach();
    return {};
  }),
  threads: command(v.looseObject({}), () => ({ threads: [{ id: threadId, name: "notebook" }] }), "attached"),
  setBreakpoints: command(
    v.looseObject({ source, breakpoints: v.optional(v.array(breakpoint), []) }),
    async (debug, { source, breakpoints }) => {
      if (source.path === undefined) throw new Refusal("setBreakpoints: source.path is missing.");
      const path = normalize(source.path);
      const targets = debug.sources.targets(path, debug.isAttached ? debug.attached : undefined);
      const points = breakpoints as DebugProtocol.SourceBreakpoint[];
      const set = await debug.breakpoints.set(
        path,
        source as DebugProtocol.Source,
        points,
        debug.sources.text(path),
        targets,
      );
      return { breakpoints: set };
    },
  ),
  setExceptionBreakpoints: command(
    v.looseObject({ filters: v.fallback(v.array(v.string()), []) }),
    async (debug, { filters }) => {
      const unknown = filters.find((each) => !exceptionFilters.some(({ filter }) => filter === each));
      if (unknown !== undefined)
        throw new Refusal(`There is no exception filter ${JSON.stringify(unknown)}: use all or uncaught.`);
      await debug.setExceptions(filters.includes("all") ? "all" : filters.includes("uncaught") ? "uncaught" : "none");
      return {};
    },
    "attached",
  ),
  stackTrace: command(
    v.looseObject({ threadId: optionalWhole, startFrame: optionalWhole, levels: optionalWhole }),
    (debug, { startFrame, levels }) => debug.stop.stackTrace(startFrame, levels),
    "attached",
  ),
  scopes: command(
    v.looseObject({ frameId: whole }),
    async (debug, { frameId }) => ({ scopes: debug.stop.scopes(frameId, await debug.globals()) }),
    "attached",
  ),
  variables: command(
    v.looseObject({
      variablesReference: whole,
      start: optionalWhole,
      count: optionalWhole,
      filter: v.optional(v.string()),
    }),
    async (debug, { variablesReference, ...page }) => ({
      variables: asShown(debug, await debug.variablesOf(variablesReference).list(variablesReference, page)),
    }),
    "attached",
  ),
  setVariable: command(
    v.looseObject({ variablesReference: whole, name: v.string(), value: v.string() }),
    setVariable,
    "attached",
  ),
  evaluate: command(
    v.looseObject({
      expression: v.string(),
      frameId: v.fallback(v.optional(whole), undefined),
      context: v.optional(v.string()),
    }),
    evaluate,
    "attached",
  ),
  continue: move("resume"),
  next: move("stepOver"),
  stepIn: move("stepInto"),
  stepOut: move("stepOut"),
  pause: command(
    thread,
    async (debug) => {
      await debug.pause();
      return {};
    },
    "attached",
  ),
  exceptionInfo: command(
    thread,
    (debug) => {
      const { reason } = debug.stop;
      if (!reason.exception) throw new Refusal("The program is not stopped at an exception.");
      return exceptionInfo(reason);
    },
    "attached",
  ),
  source: command(v.looseObject({ source: v.optional(source) }), (debug, given) => {
    const path = given.source?.path;
    const text = path === undefined ? undefined : debug.sources.text(path).text;
    if (text === undefined) throw new Refusal(`There is no source ${JSON.stringify(path ?? "")}.`);
    return { content: text, mimeType: "text/typescript" };
  }),
  modules: command(
    v.looseObject({ startModule: optionalWhole, moduleCount: optionalWhole }),
    (debug, { startModule = 0, moduleCount = 0 }) => {
      const files = debug.attached.scripts.loadedFiles();
      const modules = files.map(({ name, path }) => ({ id: path, name, path, isUserCode: true }));
      const end = moduleCount > 0 ? startModule + moduleCount : undefined;
      return { modules: modules.slice(startModule, end), totalModules: modules.length };
    },
    "attached",
  ),
  debugInfo: command(v.looseObject({}), (debug) => ({
    isStarted: debug.isAttached,
    hashMethod: "Murmur2",
    hashSeed,
    tmpFilePrefix: debug.sources.cells.prefix,
    tmpFileSuffix: cellFileSuffix,
    breakpoints: debug.breakpoints.info(),
    stoppedThreads: debug.isStopped ? [threadId] : [],
    richRendering: true,
    exceptionPaths: exceptionFilters.map(({ filter }) => filter),
    copyToGlobals: true,
  })),
  dumpCell: command(v.looseObject({ code: v.string() }), (debug, { code }) => ({
    sourcePath: debug.sources.cells.dump(code),
  })),
  inspectVariables: command(
    v.looseObject({}),
    async (debug) => ({ variables: asShown(debug, await inspectVariables(debug)) }),
    "attached",
  ),
  richInspectVariables: command(
    v.looseObject({ variableName: v.string(), frameId: v.fallback(v.optional(whole), undefined) }),
    richInspectVariables,
    "attached",
  ),
  copyToGlobals: command(
    v.looseObject({ srcVariableName: v.string(), dstVariableName: v.string(), srcFrameId: whole }),
    copyToGlobals,
    "attached",
  ),
};

export const commands: Readonly<Record<keyof typeof definitions, unknown>> = definitions;

export function isCommand(name: string): name is keyof typeof definitions {
  return Object.hasOwn(definitions, name);
}
