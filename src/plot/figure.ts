import type { Config, Data, Layout } from "plotly.js";
import { type Displayable, displaySymbol } from "../display/index.ts";
import { baseConfig, baseLayout } from "./template.ts";

/** A plotly figure as plain data. A notebook draws it; as text it is a summary of its traces. */
export interface Figure extends Displayable {
  data: Data[];
  layout: Partial<Layout>;
  config: Partial<Config>;
}

export interface FigureOptions {
  data: Data[];
  layout?: Partial<Layout>;
  config?: Partial<Config>;
}

/** A figure in the one style; `layout` and `config` are laid over it, axes and margins key by key. */
export function figure({ data, layout = {}, config = {} }: FigureOptions): Figure {
  const made = {
    data,
    layout: {
      ...baseLayout,
      ...layout,
      ...axes(layout),
      title: { ...titled(baseLayout.title), ...titled(layout.title) },
      margin: { ...baseLayout.margin, ...layout.margin },
    },
    config: { ...baseConfig, ...config },
  };
  return Object.defineProperty(made as Figure, displaySymbol, {
    enumerable: false,
    value: () => ({
      "application/vnd.plotly.v1+json": { data: made.data, layout: made.layout, config: made.config },
      "text/plain": summary(made.data, made.layout),
    }),
  });
}

/** Every axis that the layout names, and the first two, on the base axis. */
function axes(layout: Partial<Layout>): Partial<Layout> {
  const names = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))]);
  const given = layout as Record<string, { title?: object | string } | undefined>;
  return Object.fromEntries(
    [...names].map((name) => {
      const base = (name.startsWith("x") ? baseLayout.xaxis : baseLayout.yaxis) as { title: object };
      const own = given[name] ?? {};
      return [name, { ...base, ...own, title: { ...base.title, ...titled(own.title) } }];
    }),
  ) as Partial<Layout>;
}

function titled(title: string | object | undefined): object {
  return typeof title === "string" ? { text: title } : (title ?? {});
}

function summary(data: Data[], layout: Partial<Layout>): string {
  const { title } = layout;
  const heading = (typeof title === "string" ? title : title?.text) ?? "figure";
  const lines = data.map((trace) => {
    const { name, type = "scatter", ...shown } = trace as { name?: string; type?: string } & Record<string, unknown>;
    const found = numbers(shown.z ?? shown.y ?? shown.x ?? shown.values);
    const range = found.length
      ? `${found.length} values from ${short(minimum(found))} to ${short(maximum(found))}, last ${short(found.at(-1)!)}`
      : "no values";
    return `  ${name ?? type}: ${range}`;
  });
  return [heading, ...lines].join("\n");
}

function numbers(values: unknown): number[] {
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) return [];
  return Array.from(values as ArrayLike<unknown>)
    .flat()
    .filter((value): value is number => Number.isFinite(value));
}

const minimum = (values: number[]) => values.reduce((a, b) => Math.min(a, b));
const maximum = (values: number[]) => values.reduce((a, b) => Math.max(a, b));
const short = (value: number) => String(Number(value.toPrecision(4)));
