import type { Config, Data, Layout } from "plotly.js";

/** What plotly draws. */
export interface FigureParts {
  data: Data[];
  layout: Partial<Layout>;
  config: Partial<Config>;
}

/** The parts as JSON, in which typed arrays, sets, maps, tensors and columns of danfojs are converted as in a notebook's display. */
export function asJson({ data, layout, config }: FigureParts): FigureParts {
  return JSON.parse(JSON.stringify({ data, layout, config }, plain)) as FigureParts;
}

function plain(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Set || (ArrayBuffer.isView(value) && !(value instanceof DataView)))
    return Array.from(value as Iterable<unknown>);
  if (value instanceof Map) return Object.fromEntries(value);
  if ("dataId" in value && "arraySync" in value) return (value as { arraySync(): unknown }).arraySync();
  if ("$data" in value && "values" in value) return value.values;
  return value;
}

/** The text of a title in a layout; empty if there is none. */
export function titleText(title: unknown): string {
  return typeof title === "string" ? title : ((title as { text?: string } | undefined)?.text ?? "");
}

/** The text of a title without plotly's tags. */
export function plainTitle(title: unknown): string {
  return titleText(title)
    .replaceAll(/<br\s*\/?>/gi, " ")
    .replaceAll(/<[^>]*>/g, "")
    .trim();
}
