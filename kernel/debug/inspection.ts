/** Requests about values: evaluate, set, copy, list, render. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Protocol } from "devtools-protocol";
import type { Debugger } from "./debugger.ts";
import { evaluateGlobally } from "./evaluation.ts";
import { compileExpression, compileInput, isVariableName } from "./expression.ts";
import { Refusal } from "./refusal.ts";
import { textOf } from "./values.ts";
import type { Variables } from "./variables.ts";

type RemoteObject = Protocol.Runtime.RemoteObject;

interface Evaluated {
  value: RemoteObject;
  /** Where references to the value belong. */
  variables: Variables;
}

/** On a frame; at the top level without one. */
async function evaluateAt(
  debug: Debugger,
  expression: string,
  frameId: number | undefined,
  sideEffects = true,
): Promise<Evaluated> {
  const { inspector, explored } = debug.attached;
  if (frameId === undefined) return { value: await evaluateGlobally(inspector, expression), variables: explored };
  const { stop } = debug;
  const { call, name } = stop.frame(frameId);
  if (!call) throw new Refusal(`${name} waits, so nothing can be evaluated in it: choose a frame that runs.`);
  return { value: await stop.evaluate(expression, call.callFrameId, sideEffects), variables: stop.variables };
}

export async function evaluate(
  debug: Debugger,
  given: { expression: string; frameId?: number | undefined; context?: string | undefined },
): Promise<DebugProtocol.EvaluateResponse["body"]> {
  const { expression, frameId, context } = given;
  const { value, variables } = await evaluateAt(debug, compileInput(expression), frameId, context !== "hover");
  if (frameId !== undefined && context === "repl") debug.stop.renew();
  const { value: result, ...rest } = await variables.describeOne("", value, expression);
  const { type, variablesReference, indexedVariables } = rest;
  return {
    result,
    variablesReference,
    ...(type === undefined ? {} : { type }),
    ...(indexedVariables === undefined ? {} : { indexedVariables }),
  };
}

export function argumentOf({ objectId, unserializableValue, value }: RemoteObject): Protocol.Runtime.CallArgument {
  if (objectId) return { objectId };
  return unserializableValue === undefined ? { value } : { unserializableValue };
}

/** The variables of all cells, without a stop: JupyterLab's variable explorer. */
export async function inspectVariables(debug: Debugger): Promise<DebugProtocol.Variable[]> {
  const { inspector, explored } = debug.attached;
  explored.clear();
  await inspector.post("Runtime.releaseObjectGroup", { objectGroup: "variables" });
  const { names } = await inspector.post("Runtime.globalLexicalScopeNames", { executionContextId: 1 });
  const own = names.filter((name) => debug.sources.isOwnName(name));
  const reference = explored.add({ kind: "names", names: [...own, ...(await debug.globals())] });
  return explored.list(reference, {});
}

/** A variable as a cell would show it. */
export async function richInspectVariables(
  debug: Debugger,
  { variableName, frameId }: { variableName: string; frameId?: number | undefined },
): Promise<object> {
  const { inspector } = debug.attached;
  const { value, variables } = await evaluateAt(debug, compileExpression(variableName), frameId);
  await variables.hold(argumentOf(value));
  const expression = `JSON.stringify(${inspector.hostName}_debug.bundle())`;
  const rendering =
    frameId === undefined ? evaluateGlobally(inspector, expression) : debug.stop.evaluateOnTop(expression);
  const data = await rendering.then(
    (rendered) => JSON.parse(String(rendered.value)) as object,
    // The value's own code threw, or did not end.
    () => ({ "text/plain": textOf(value) }),
  );
  return { data, metadata: {} };
}

/** Gives a variable of a frame a name at the top level. */
export async function copyToGlobals(
  debug: Debugger,
  given: { srcVariableName: string; dstVariableName: string; srcFrameId: number },
): Promise<object> {
  const { srcVariableName, dstVariableName, srcFrameId } = given;
  if (!isVariableName(dstVariableName))
    throw new Refusal(`${JSON.stringify(dstVariableName)} cannot be the name of a variable.`);
  const { inspector } = debug.attached;
  const { value, variables } = await evaluateAt(debug, compileExpression(srcVariableName), srcFrameId);
  await variables.hold(argumentOf(value));
  const { names } = await inspector.post("Runtime.globalLexicalScopeNames", { executionContextId: 1 });
  const held = `${inspector.hostName}_debug`;
  await evaluateGlobally(
    inspector,
    names.includes(dstVariableName)
      ? `${dstVariableName}=${held}.held(0)`
      : `void ${held}.define(${JSON.stringify(dstVariableName)})`,
  );
  return {};
}
