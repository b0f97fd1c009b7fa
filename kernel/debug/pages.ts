/** Long arrays in parts, and the getters of an object. */
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";

/** The most elements that are listed at once. */
const pageSize = 100;

export interface Range {
  from: number;
  to: number;
}

export function isArrayLike({ subtype }: Protocol.Runtime.RemoteObject): boolean {
  return subtype === "array" || subtype === "typedarray";
}

/** The length that V8 names: `Array(3)`. */
export function lengthOf({ description }: Protocol.Runtime.RemoteObject): number {
  return Number(/\((\d+)\)$/.exec(description ?? "")?.[1] ?? 0);
}

/** At most a page of ranges that cover a long one; undefined when it fits on a page itself. */
export function rangesOf(from: number, to: number): Range[] | undefined {
  if (to - from <= pageSize) return undefined;
  let step = pageSize;
  while ((to - from) / step > pageSize) step *= pageSize;
  const ranges: Range[] = [];
  for (let at = from; at < to; at += step) ranges.push({ from: at, to: Math.min(to, at + step) });
  return ranges;
}

/** Called on an array: an object with the elements of a range. */
export const pageFunction =
  "function(from,to){const page={__proto__:null};for(let at=from;at<to;at++)if(at in this)page[at]=this[at];return page}";

/** Whether a getter is the language's own, which tells nothing or only throws. */
function isLanguages(name: string, { description = "" }: Protocol.Runtime.RemoteObject): boolean {
  return name === "__proto__" || (/^(?:arguments|caller|callee)$/.test(name) && description.includes("[native code]"));
}

/** The names of an object's getters, its own and those of its classes. `isArray`: its elements are not looked at. */
export async function accessorsOf(
  inspector: HostInspector,
  objectId: string,
  own: readonly Protocol.Runtime.PropertyDescriptor[],
  isArray: boolean,
): Promise<string[]> {
  const { result } = await inspector.post("Runtime.getProperties", {
    objectId,
    accessorPropertiesOnly: true,
    nonIndexedPropertiesOnly: isArray,
  });
  const getters = [...own, ...result].filter(
    ({ get, name }) => get && get.type !== "undefined" && !isLanguages(name, get),
  );
  return [...new Set(getters.filter(({ symbol }) => !symbol).map(({ name }) => name))];
}
