/** The request setVariable: gives a variable, a property or an element a value. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Debugger } from "./debugger.ts";
import { evaluateGlobally } from "./evaluation.ts";
import { compileExpression, reading } from "./expression.ts";
import { argumentOf } from "./inspection.ts";
import { Refusal } from "./refusal.ts";
import type { Holder, Variables } from "./variables.ts";

interface Given {
  variablesReference: number;
  name: string;
  value: string;
}

export async function setVariable(
  debug: Debugger,
  { variablesReference, name, value: text }: Given,
): Promise<DebugProtocol.SetVariableResponse["body"]> {
  const variables = debug.variablesOf(variablesReference);
  const holder = variables.holder(variablesReference);
  if (!holder) throw new Refusal("This variable is no longer available: the program has gone on since.");
  await checkName(variables, holder, variablesReference, name);
  const { inspector } = debug.attached;
  const hooks = `${inspector.hostName}_debug`;
  const evaluateThere = (expression: string) =>
    debug.isStopped ? debug.stop.evaluateOnTop(expression) : evaluateGlobally(inspector, expression);
  const expression = compileExpression(text);
  if (holder.kind === "scope") {
    const { stop } = debug;
    await variables.hold(argumentOf(await stop.evaluate(expression, holder.call)));
    await stop.assign(holder, name);
  } else if (holder.kind === "names") {
    await variables.hold(argumentOf(await evaluateThere(expression)));
    await evaluateGlobally(inspector, `${reading(name)}=${hooks}.held(0)`);
  } else {
    await variables.hold(argumentOf(await evaluateThere(expression)), { objectId: holder.objectId });
    const { value: isSet } = await evaluateThere(`${hooks}.set(${JSON.stringify(name)})`);
    if (!isSet) throw new Refusal(`${name} cannot be changed: it is read-only.`);
  }
  const now = await evaluateThere(`${hooks}.held(0)`);
  const { value, type, variablesReference: reference } = await variables.describeOne(name, now, undefined);
  return { value, variablesReference: reference, ...(type === undefined ? {} : { type }) };
}

/** Throws a `Refusal` unless the name is one of those that are listed there, and of what can be set. */
async function checkName(variables: Variables, holder: Holder, reference: number, name: string): Promise<void> {
  if (holder.kind === "getter" && holder.name === name) return;
  if (holder.kind === "object" && holder.isShown)
    throw new Refusal(`${name} cannot be set: the library shows what this value holds. Set its variable instead.`);
  if (isElement(holder, name)) return;
  const found = (await variables.list(reference, {})).find((each) => each.name === name);
  if (!found) throw new Refusal(`There is no ${JSON.stringify(name)} here to set.`);
  const isNamed = holder.kind === "scope" ? found.evaluateName !== undefined : !/^(?:#|\[)/.test(name);
  if (!isNamed) throw new Refusal(`${name} cannot be set here: evaluate an assignment where the code can make one.`);
}

function isElement(holder: Holder, name: string): boolean {
  if (!/^\d+$/.test(name)) return false;
  if (holder.kind === "range") return Number(name) >= holder.from && Number(name) < holder.to;
  return holder.kind === "object" && Number(name) < (holder.length ?? 0);
}
