import type { Config, Data, Layout } from "plotly.js";
import { escapeHtml } from "../display/html.ts";
import { type Displayable, displaySymbol } from "../display/index.ts";
import { type FigureParts, titleText } from "./figure-parts.ts";
import { type SaveFigureOptions, saveFigure } from "./save.ts";
import { sketch } from "./sketch.ts";
import { baseConfig, baseLayout } from "./template.ts";

/** A plotly figure as plain data. A notebook draws it; its text is a summary of the traces. */
export interface Figure extends FigureParts, Displayable {
  /**
   * Writes the figure to a file, atomically. The extension gives the format: ".png" or ".svg" for an image, ".html" for a page with the
   * live figure, which works without a network, or ".json" for plotly's JSON. Plotly draws the images in a Chromium, Chrome or Edge of
   * this machine (`HALFTONE_BROWSER` names another).
   *
   * @throws RangeError for another extension or a size that is not positive; UserError if the file cannot be written, or an image
   *   cannot be drawn because there is no browser
   */
  save(file: string, options?: SaveFigureOptions): Promise<void>;
}

/** A figure's traces, layout and configuration, as plotly.js takes them. */
export interface FigureOptions {
  data: Data[];
  layout?: Partial<Layout>;
  config?: Partial<Config>;
}

/** A figure in the library's style. `layout` and `config` override the style; axes, title and margins are merged by key. */
export function figure({ data, layout = {}, config = {} }: FigureOptions): Figure {
  const made = {
    data: data.map(withLegibleText),
    layout: {
      ...baseLayout,
      ...layout,
      ...axes(data, layout),
      title: { ...titled(baseLayout.title), ...titled(layout.title) },
      margin: { ...baseLayout.margin, ...layout.margin },
    },
    config: { ...baseConfig, ...config },
  };
  const shown = () => ({
    "application/vnd.plotly.v1+json": { data: made.data, layout: made.layout, config: made.config },
    ...(process.env.HALFTONE_FIGURES === "image" ? fallback(made.data, made.layout) : {}),
    "text/plain": summary(made.data, made.layout),
  });
  const save: Figure["save"] = (file, options) => saveFigure(made, file, options);
  // Not enumerable, so that a figure's own properties are plain data.
  return Object.defineProperties(made as Figure, { [displaySymbol]: { value: shown }, save: { value: save } });
}

/** The first two axes and every axis of the layout, merged with the base axis. */
function axes(data: Data[], layout: Partial<Layout>): Partial<Layout> {
  const names = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))]);
  const given = layout as Record<string, { title?: object | string } | undefined>;
  return Object.fromEntries(
    [...names].map((name) => {
      const labels = name === "xaxis" ? barLabels(data) : {};
      const base = (name.startsWith("x") ? baseLayout.xaxis : baseLayout.yaxis) as { title: object };
      const own: Record<string, unknown> & { title?: object | string } = given[name] ?? {};
      // Otherwise plotly labels every digit of a decade, and the labels overlap.
      const ticks = own.type === "log" && !("tickvals" in own) && !("nticks" in own) ? { dtick: "D2" } : {};
      return [
        name,
        {
          ...base,
          ...("tickvals" in own ? {} : labels),
          ...ticks,
          ...own,
          title: { ...base.title, ...titled(own.title) },
        },
      ];
    }),
  ) as Partial<Layout>;
}

/** The figure for front ends without plotly: an image, or the summary where an image is not possible. */
function fallback(data: Data[], layout: Partial<Layout>): Record<string, string> {
  const image = sketch(data, layout);
  if (image !== undefined) return { "image/svg+xml": image };
  return { "text/html": `<pre>${escapeHtml(summary(data, layout))}</pre>` };
}

/** Makes text inside bars of one colour black or white, whichever has more contrast; plotly's grey is faint on some colours. */
function withLegibleText(trace: Data): Data {
  const { type, text, marker, insidetextfont, textfont } = trace as Record<string, unknown> & {
    marker?: { color?: unknown };
  };
  const color = marker?.color;
  if (type !== "bar" || text === undefined || insidetextfont || textfont || typeof color !== "string") return trace;
  if (!/^#[\da-f]{6}$/i.test(color)) return trace;
  return { ...trace, insidetextfont: { color: luminance(color) > 0.179 ? "#000000" : "#ffffff" } } as Data;
}

/** Relative luminance (WCAG 2.2); black and white have the same contrast with 0.179. */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** Most characters of a bar's label on one line. */
const LABEL = 16;

/** Breaks long labels of bars into lines, because they would overlap. */
function barLabels(data: Data[]): object {
  const bars = data as { type?: string; orientation?: string; xaxis?: string; x?: unknown }[];
  const names = bars.flatMap(({ type, orientation, xaxis = "x", x }) =>
    type === "bar" && orientation !== "h" && xaxis === "x" && Array.isArray(x) ? x : [undefined],
  );
  const isName = (name: unknown) => typeof name === "string" && !/^[\d\s.:/-]*$/.test(name);
  if (!names.every(isName) || !names.some((name) => String(name).length > LABEL)) return {};
  const tickvals = [...new Set(names as string[])];
  return { tickvals, ticktext: tickvals.map(inLines) };
}

function inLines(label: string): string {
  if (label.includes("<")) return label;
  const lines: string[] = [];
  for (const word of label.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LABEL) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("<br>");
}

function titled(title: string | object | undefined): object {
  return typeof title === "string" ? { text: title } : (title ?? {});
}

function summary(data: Data[], layout: Partial<Layout>): string {
  const heading = titleText(layout.title) || "figure";
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
