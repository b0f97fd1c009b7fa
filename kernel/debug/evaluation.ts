/** The value of an evaluation in the host, or why there is none. */
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";
import { Refusal } from "./refusal.ts";
import { textOf } from "./values.ts";

/** Milliseconds. */
export const evaluationLimit = 2000;

interface Answer {
  result: Protocol.Runtime.RemoteObject;
  exceptionDetails?: Protocol.Runtime.ExceptionDetails;
}

/** Throws a `Refusal` when the code threw, or did not end within the limit. */
export async function remoteValue(answer: Promise<Answer>): Promise<Protocol.Runtime.RemoteObject> {
  let given: Answer;
  try {
    given = await answer;
  } catch (error) {
    throw new Refusal(failureOf(error instanceof Error ? error.message : String(error)));
  }
  const { exceptionDetails, result } = given;
  if (!exceptionDetails) return result;
  const { exception, text } = exceptionDetails;
  throw new Refusal(exception ? thrownText(exception) : text);
}

function thrownText(thrown: Protocol.Runtime.RemoteObject): string {
  if (thrown.subtype !== "error") return `It threw ${textOf(thrown)}.`;
  if (thrown.className === "EvalError" && /possible side-effect/i.test(thrown.description ?? ""))
    return "The expression may change something, so it was not evaluated.";
  return textOf(thrown);
}

/** V8's reason for no value, in a sentence. */
function failureOf(message: string): string {
  if (/execution was terminated/i.test(message))
    return `The expression did not end within ${evaluationLimit / 1000} s, so it was stopped.`;
  if (/session was closed/i.test(message)) return "The notebook's process ended before it answered.";
  return message;
}

/** V8 describes values of a frame that are no variables, such as `this` or an exception, without their contents. */
export async function withPreview(
  inspector: HostInspector,
  value: Protocol.Runtime.RemoteObject,
): Promise<Protocol.Runtime.RemoteObject> {
  const { objectId } = value;
  if (!objectId || value.preview) return value;
  const { result } = await inspector.post("Runtime.callFunctionOn", {
    functionDeclaration: "function(){return this}",
    objectId,
    generatePreview: true,
    silent: true,
  });
  return result;
}

/** Evaluates JavaScript at the top level, whether cells run or not. */
export function evaluateGlobally(inspector: HostInspector, expression: string): Promise<Protocol.Runtime.RemoteObject> {
  return remoteValue(
    inspector.post("Runtime.evaluate", {
      expression,
      generatePreview: true,
      silent: true,
      disableBreaks: true,
      objectGroup: "variables",
      timeout: evaluationLimit,
    }),
  );
}
