/** Whether an attribute has changed, and which widgets a page draws inside one another. */
import { isDeepStrictEqual } from "node:util";
import { isWidget, registeredWidgets } from "./registry.ts";
import { isRecord } from "./traits.ts";

/** The media type of a widget among the outputs of a cell. */
export const VIEW_MIME = "application/vnd.jupyter.widget-view+json";

/**
 * Whether two values are the same. Widgets, and objects of classes that this file does not know, are the same only as one object,
 * because nobody can compare their private fields.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => isSame(each, b[index]));
  if (a instanceof Map && b instanceof Map) return isSame([...a], [...b]);
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
    );
  }
  return isData(a) && isData(b) && isDeepStrictEqual(a, b);
}

const isData = (value: unknown): boolean =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date;

/** Whether a page that draws `outer` also draws the widget `inner`: as itself, as a child, or among the outputs of an `Output`. */
export function draws(outer: unknown, inner: string, seen = new Set<unknown>()): boolean {
  if (!isWidget(outer) || seen.has(outer)) return false;
  seen.add(outer);
  const { children = [], outputs = [] } = outer as { children?: readonly unknown[]; outputs?: readonly object[] };
  const inside = [...children, ...outputs.map(widgetShownBy)];
  return outer.id === inner || inside.some((each) => draws(each, inner, seen));
}

/** The widget that an output displays. */
export function widgetShownBy(output: object): unknown {
  const { data } = output as { data?: unknown };
  const view = isRecord(data) ? data[VIEW_MIME] : undefined;
  return isRecord(view) ? registeredWidgets().get(String(view.model_id)) : undefined;
}
