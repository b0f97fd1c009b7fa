import type { Data, Layout } from "plotly.js";
import { escapeHtml } from "../display/html.ts";
import { titleText } from "./figure-parts.ts";
import { grid, ink, palette } from "./template.ts";

interface Series {
  name: string;
  bars: boolean;
  lines: boolean;
  markers: boolean;
  color: string;
  x: (number | string)[];
  y: number[];
}

interface Scale {
  at(value: number | string): number;
  ticks: [label: string, at: number][];
}

const width = 640;
const box = { left: 64, right: width - 16 };

/** Lines, points and bars as SVG, for front ends without plotly; undefined for other kinds of traces. */
export function sketch(data: Data[], layout: Partial<Layout>): string | undefined {
  const series = data.map(seriesOf);
  if (series.length === 0 || !series.every((each) => each !== undefined)) return undefined;
  const stacked =
    layout.barmode === "stack" ? stack(series) : series.map(({ y }) => y.map((value) => [0, value] as const));
  const names = series.filter(({ name }) => name !== "");
  const top = 40 + (names.length > 1 ? 20 * names.length : 0);
  const bottom = top + 240;
  const places = series.flatMap((each) => each.x);
  const bars = series.filter((each) => each.bars);
  const room = ((box.right - box.left) / Math.max(1, new Set(places).size)) * 0.8;
  // A bar extends beyond its x value on both sides.
  const inset = bars.length > 0 && !places.some((place) => typeof place === "string") ? room / 2 : 0;
  const x = scale(places, [box.left + inset, box.right - inset], layout.xaxis?.type === "log");
  const heights = series.flatMap(({ bars, y }, at) => (bars ? stacked[at]!.flat() : y));
  const y = scale(heights, [bottom, top], layout.yaxis?.type === "log");
  const grouped = layout.barmode !== "stack" && layout.barmode !== "overlay";
  const slots = grouped ? Math.max(1, bars.length) : 1;
  const parts = series.map((each, at) =>
    each.bars
      ? rectangles(each, stacked[at]!, x, y, {
          width: room / slots,
          shift: (grouped ? bars.indexOf(each) : 0) * (room / slots) - room / 2,
        })
      : curve(each, x, y),
  );
  const text = (label: string, left: number, at: number, anchor = "start", more = "") =>
    `<text x="${round(left)}" y="${round(at)}" text-anchor="${anchor}"${more}>${escapeHtml(label)}</text>`;
  const legend =
    names.length > 1
      ? names.map(
          ({ name, color }, at) =>
            `<rect x="${box.left}" y="${36 + 20 * at}" width="16" height="4" fill="${color}"/>${text(name, box.left + 22, 42 + 20 * at)}`,
        )
      : [];
  const middle = (top + bottom) / 2;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 48}" width="${width}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}">` +
    text(titleText(layout.title), 8, 20, "start", ' font-size="16"') +
    legend.join("") +
    y.ticks
      .map(
        ([label, at]) =>
          `<path d="M${box.left} ${round(at)}H${box.right}" stroke="${grid}"/>${text(label, box.left - 6, at + 4, "end")}`,
      )
      .join("") +
    x.ticks.map(([label, at]) => text(label, at, bottom + 18, "middle")).join("") +
    text(titleText(layout.xaxis?.title), (box.left + box.right) / 2, bottom + 40, "middle") +
    text(titleText(layout.yaxis?.title), 14, middle, "middle", ` transform="rotate(-90 14 ${middle})"`) +
    `${parts.join("")}</svg>`
  );
}

function seriesOf(trace: Data, at: number): Series | undefined {
  const {
    type = "scatter",
    mode = "lines",
    name,
    x,
    y,
    line,
    marker,
    orientation,
  } = trace as Record<string, unknown> & {
    line?: { color?: unknown };
    marker?: { color?: unknown };
  };
  if ((type !== "scatter" && type !== "bar") || orientation === "h" || !isList(y)) return undefined;
  const values = Array.from(y, (value) => (value === null ? Number.NaN : Number(value)));
  const given = line?.color ?? marker?.color;
  return {
    name: typeof name === "string" ? name : "",
    bars: type === "bar",
    lines: String(mode).includes("lines"),
    markers: String(mode).includes("markers"),
    color: typeof given === "string" && /^[#\w(),. ]+$/.test(given) ? given : palette[at % palette.length]!,
    x: isList(x) ? (Array.from(x) as (number | string)[]) : values.map((_, i) => i),
    y: values,
  };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/** Where each stacked bar begins and ends. */
function stack(series: Series[]): (readonly [number, number])[][] {
  const tops = new Map<number | string, number>();
  return series.map(({ bars, x, y }) =>
    y.map((value, i) => {
      const from = bars ? (tops.get(x[i]!) ?? 0) : 0;
      if (bars) tops.set(x[i]!, from + value);
      return [from, from + value] as const;
    }),
  );
}

function scale(values: (number | string)[], [from, to]: [number, number], log: boolean): Scale {
  if (values.some((value) => typeof value === "string")) {
    const names = [...new Set(values.map(String))];
    const at = (value: number | string) => from + ((names.indexOf(String(value)) + 0.5) / names.length) * (to - from);
    return { at, ticks: names.map((name) => [name, at(name)]) };
  }
  const numbers = (values as number[]).filter((value) => Number.isFinite(value) && (!log || value > 0));
  const map = log ? Math.log10 : (value: number) => value;
  const low = map(numbers.reduce((a, b) => Math.min(a, b), log ? 1 : Infinity));
  const high = map(numbers.reduce((a, b) => Math.max(a, b), -Infinity));
  const span = Number.isFinite(high - low) && high > low ? high - low : 1;
  const start = Number.isFinite(low) ? low : 0;
  const at = (value: number | string) => from + ((map(Number(value)) - start) / span) * (to - from);
  const step = 10 ** Math.floor(Math.log10(span / 3));
  const size = [1, 2, 5, 10].map((part) => part * step).find((each) => span / each <= 6)!;
  const first = Math.ceil(start / size - 1e-9) * size;
  const marks = Array.from(
    { length: Math.floor((start + span - first) / size + 1e-9) + 1 },
    (_, i) => first + i * size,
  );
  const label = (mark: number) => String(Number((log ? 10 ** mark : mark).toPrecision(3)));
  return { at, ticks: marks.map((mark) => [label(mark), from + ((mark - start) / span) * (to - from)]) };
}

function rectangles(
  { color, x, y }: Series,
  ends: (readonly [number, number])[],
  across: Scale,
  up: Scale,
  { width: wide, shift }: { width: number; shift: number },
): string {
  return y
    .map((value, i) => {
      if (!Number.isFinite(value)) return "";
      const [a, b] = ends[i]!.map((end) => up.at(end)) as [number, number];
      return `<rect x="${round(across.at(x[i]!) + shift)}" y="${round(Math.min(a, b))}" width="${round(wide)}" height="${round(Math.abs(a - b))}" fill="${color}"/>`;
    })
    .join("");
}

function curve({ lines, markers, color, x, y }: Series, across: Scale, up: Scale): string {
  const points = y.map((value, i) => [across.at(x[i]!), up.at(value)] as const);
  const isThere = ([left, at]: readonly [number, number]) => Number.isFinite(left) && Number.isFinite(at);
  // A missing value breaks the line.
  const path = points
    .map((point, i) =>
      isThere(point) ? `${i > 0 && isThere(points[i - 1]!) ? "L" : "M"}${round(point[0])} ${round(point[1])}` : "",
    )
    .join("");
  const dots = (markers ? points.filter(isThere) : []).map(
    ([left, at]) => `<circle cx="${round(left)}" cy="${round(at)}" r="3.5" fill="${color}"/>`,
  );
  return `${lines ? `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>` : ""}${dots.join("")}`;
}

const round = (value: number) => Math.round(value * 10) / 10;
