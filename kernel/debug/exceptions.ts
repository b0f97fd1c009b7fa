/** Whether an exception is one to stop at. */
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";
import { withPreview } from "./evaluation.ts";
import type { ScriptMap, ScriptPosition } from "./positions.ts";
import type { Scripts } from "./scripts.ts";
import type { Reason } from "./stop.ts";
import { isAsyncAt, isCaughtAt } from "./syntax.ts";
import { textOf } from "./values.ts";

/** `all`: also those that the person's code catches. */
export type ExceptionMode = "none" | "uncaught" | "all";

export const exceptionFilters = [
  { filter: "all", label: "All exceptions", description: "Stops also where the code catches the exception." },
  { filter: "uncaught", label: "Uncaught exceptions", description: "Stops where no try around the code catches." },
];

interface ThrownThrough {
  scriptId: string;
  at: ScriptPosition;
  /** Whether it comes here as a promise that has been rejected; undefined when the function below says so. */
  isRejection?: boolean;
}

const waits = /^(?:await|async function|Promise\.(?:then|catch|finally))$/;

/**
 * The stop for an exception; undefined when the program goes on. V8 takes each as caught, by the host. So the syntax decides: an
 * exception is caught when a `try` with `catch` is around the place in a frame, or in a caller that awaits, or when a
 * `.catch()` stands at a promise on the way. One that a package catches itself is never for the person.
 */
export async function exceptionReason(
  { callFrames, asyncStackTrace, data, reason }: Protocol.Debugger.PausedEvent,
  mode: ExceptionMode,
  scripts: Scripts,
  inspector: HostInspector,
): Promise<Reason | undefined> {
  const [top] = callFrames;
  if (mode === "none" || !top || scripts.isKernel(top.location.scriptId)) return undefined;
  const frames: ThrownThrough[] = callFrames.map(({ location }) => ({ scriptId: location.scriptId, at: location }));
  frames[0]!.isRejection = reason === "promiseRejection";
  for (let trace = asyncStackTrace; trace; trace = trace.parent)
    if (waits.test(trace.description ?? ""))
      frames.push(
        ...trace.callFrames.map((at, index) => ({
          scriptId: at.scriptId,
          at,
          ...(index === 0 ? { isRejection: true } : {}),
        })),
      );
  const firstOwn = frames.findIndex(({ scriptId }) => scripts.own(scriptId));
  if (firstOwn === -1) return undefined;
  let isUncaught = true;
  for (const [index, frame] of frames.entries()) {
    if (scripts.isKernel(frame.scriptId)) continue;
    const isRejection = frame.isRejection ?? (await isAsync(frames[index - 1]!, scripts, inspector));
    const map = await mapOf(frame, scripts, inspector);
    if (!isCaughtAt(map.text, map.offsetOf(frame.at), isRejection)) continue;
    if (index < firstOwn) return undefined;
    isUncaught = false;
    break;
  }
  if (mode === "uncaught" && !isUncaught) return undefined;
  const exception = data as Protocol.Runtime.RemoteObject;
  const description =
    exception.type === "string" ? String(exception.value) : textOf(await withPreview(inspector, exception));
  return { reason: "exception", description, exception, isUncaught };
}

async function mapOf({ scriptId }: ThrownThrough, scripts: Scripts, inspector: HostInspector): Promise<ScriptMap> {
  return scripts.own(scriptId)?.map ?? scripts.textOf(scriptId, inspector);
}

/** Whether what throws there gives its caller a promise. */
async function isAsync(frame: ThrownThrough, scripts: Scripts, inspector: HostInspector): Promise<boolean> {
  const map = await mapOf(frame, scripts, inspector);
  return isAsyncAt(map.text, map.offsetOf(frame.at));
}

/** For `exceptionInfo`. */
export function exceptionInfo({ exception, isUncaught, description = "" }: Reason) {
  const typeName = exception?.className ?? exception?.type ?? "Error";
  const stackTrace = exception?.description;
  return {
    exceptionId: typeName,
    description,
    breakMode: isUncaught ? "unhandled" : "always",
    details: { message: description, typeName, ...(stackTrace === undefined ? {} : { stackTrace }) },
  };
}
