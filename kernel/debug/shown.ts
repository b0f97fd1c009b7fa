/** Values that the host shows in its own way: tensors, data frames, figures. */
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";
import type { Named } from "./values.ts";

/** What the host says of a value that it can show better than V8. */
export interface Shown {
  type: string;
  text: string;
}

/** In one request for all; undefined for those that V8 shows as well. */
export async function shownValues(inspector: HostInspector, values: readonly Named[]): Promise<(Shown | undefined)[]> {
  const asked = values.flatMap(({ value: { type, subtype, objectId } }, index) =>
    type === "object" && subtype === undefined && objectId ? [{ index, objectId }] : [],
  );
  const shown: (Shown | undefined)[] = values.map(() => undefined);
  if (asked.length === 0) return shown;
  const { result, exceptionDetails } = await inspector.post("Runtime.callFunctionOn", {
    functionDeclaration: `function(...values){return ${inspector.hostName}_debug.describe(values)}`,
    objectId: asked[0]!.objectId,
    arguments: asked.map(({ objectId }): Protocol.Runtime.CallArgument => ({ objectId })),
    returnByValue: true,
    silent: true,
  });
  if (exceptionDetails || !Array.isArray(result.value)) return shown;
  for (const [at, { index }] of asked.entries()) shown[index] = (result.value as (Shown | null)[])[at] ?? undefined;
  return shown;
}

/** V8's id of an object with what such a value holds: a tensor's shape, type and values. */
export async function shownContents(inspector: HostInspector, objectId: string): Promise<string | undefined> {
  const { result } = await inspector.post("Runtime.callFunctionOn", {
    functionDeclaration: `function(){return ${inspector.hostName}_debug.contents(this)}`,
    objectId,
    silent: true,
  });
  return result.objectId;
}
