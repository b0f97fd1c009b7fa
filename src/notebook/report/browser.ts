// Runs in the report's page, not in Node. It is inlined into the page, so it imports nothing.

interface Plotly {
  newPlot(
    at: HTMLElement,
    data: unknown,
    layout: Record<string, unknown>,
    config: Record<string, unknown>,
  ): Promise<unknown>;
  react(
    at: HTMLElement,
    data: unknown,
    layout: Record<string, unknown>,
    config: Record<string, unknown>,
  ): Promise<unknown>;
  relayout(at: HTMLElement, update: Record<string, unknown>): Promise<unknown>;
  Plots: { resize(at: HTMLElement): Promise<unknown> };
}

type Dictionary = Record<string, unknown>;

const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 600px)");
const wide = matchMedia("(min-width: 1180px)");
const plotly = (globalThis as unknown as { Plotly?: Plotly }).Plotly;

let printing = false;

interface DrawnFigure {
  at: HTMLElement;
  figure: { data?: unknown[]; layout?: Dictionary; config?: Dictionary };
}

/** Reads the figures inside an element that are not read yet, and makes their places. */
function readFigures(inside: ParentNode): DrawnFigure[] {
  return [...inside.querySelectorAll<HTMLElement>("figure.plotly:has(> script)")].map((at) => {
    const data = at.querySelector("script")!;
    at.querySelector("noscript")?.remove();
    data.remove();
    const plot = document.createElement("div");
    plot.className = "plot";
    at.append(plot);
    return { at: plot, figure: JSON.parse(data.textContent ?? "{}") as DrawnFigure["figure"] };
  });
}

const figures = readFigures(document);

function colours(isDark: boolean): Dictionary {
  const [ink, grid, zero, panel] = isDark
    ? ["#d6d9de", "#31353c", "#4a4f58", "#22252b"]
    : ["#2b2f36", "#e6e6e1", "#c4c4bd", "#ffffff"];
  const axis = { gridcolor: grid, zerolinecolor: zero, linecolor: zero, tickcolor: zero };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: getComputedStyle(document.body).fontFamily },
    xaxis: axis,
    yaxis: axis,
    legend: { bgcolor: "rgba(0,0,0,0)" },
    hoverlabel: { bgcolor: panel, bordercolor: zero, font: { color: ink } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: zero, activecolor: ink },
  };
}

/** Deep merge; values of `over` take precedence. */
function merged(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (!isDictionary(under) || !isDictionary(over)) return over;
  const both = { ...under };
  for (const [key, value] of Object.entries(over)) both[key] = merged(under[key], value);
  return both;
}

function isDictionary(value: unknown): value is Dictionary {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** On a phone a legend beside the plot would leave the plot too little width, so it goes above, unless the notebook positions it. */
const PHONE = { legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, margin: { l: 52, r: 12 } };

/** Puts the page's colours into the figure's template, so that colours set on the figure itself take precedence. */
function themed(layout: Dictionary, isDark: boolean): Dictionary {
  const { width: _, ...kept } = narrow.matches ? { ...PHONE, ...layout } : layout;
  const own = layout.paper_bgcolor ?? layout.plot_bgcolor;
  const ownBackground = typeof own === "string" && !/transparent|,\s*0(\.0+)?\)$/.test(own);
  const theme = colours(isDark && !ownBackground);
  // A figure without its own background takes the page's text colour.
  const font = ownBackground ? kept.font : merged(kept.font, { color: (theme.font as Dictionary).color });
  const template = (layout.template ?? {}) as Dictionary;
  return {
    ...kept,
    ...(font ? { font } : {}),
    autosize: true,
    template: { ...template, layout: merged(template.layout ?? {}, theme) },
  };
}

function draw(isDark: boolean, width?: number, which: readonly DrawnFigure[] = figures): void {
  for (const { at, figure } of which) {
    const layout = themed(structuredClone(figure.layout ?? {}), isDark);
    if (width !== undefined) Object.assign(layout, { width, autosize: false });
    const config = { ...figure.config, responsive: true, displaylogo: false };
    const drawn = plotly?.react(at, structuredClone(figure.data ?? []), layout, config);
    void drawn?.then(() => fit(at, figure.layout ?? {}));
  }
}

/** Sets the top margin to the height that the title and a legend above the plot need at this width. */
function fit(at: HTMLElement, layout: Dictionary): Promise<unknown> | undefined {
  const now = (at as unknown as { _fullLayout: FullLayout })._fullLayout;
  const given = (typeof layout.title === "string" ? { text: layout.title } : layout.title) as Title | undefined;
  const text = given?.text;
  const lines = text ? wrapTitle(text, now) : [];
  const line = now.title.font.size * 1.3;
  const above = now.showlegend && now.legend?.orientation === "h" && now.legend.y >= 1;
  const legend = above ? (at.querySelector(".legend .bg")?.getBoundingClientRect().height ?? 0) : 0;
  const subtitle = given?.subtitle?.text ? now.title.subtitle.font.size * 1.6 : 0;
  const title = lines.length > 0 ? 14 + lines.length * line + subtitle : 0;
  const margin = (layout.margin as { t?: number } | undefined)?.t ?? 80;
  const annotations = (layout.annotations ?? []) as { yref?: string; y?: number }[];
  // Annotations above the plot keep their space.
  const hasAnnotation = annotations.some(({ yref, y }) => yref === "paper" && (y ?? 0) >= 1);
  const top = hasAnnotation
    ? margin + Math.max(0, lines.length - 1) * line
    : Math.ceil(title + legend + (title > 0 || legend > 0 ? 14 : 16));
  at.closest("figure")!.style.minHeight = "";
  return plotly?.relayout(at, {
    "margin.t": top,
    height: (typeof layout.height === "number" ? layout.height : 420) + top - margin,
    // Plotly moves a title of several lines up by half of the additional height.
    ...(lines.length > 0
      ? { "title.text": lines.join("<br>"), "title.pad.t": 14 + (lines.length - 1) * line * 0.5 }
      : {}),
  });
}

interface Title {
  text?: string;
  subtitle?: { text?: string };
}

interface FullLayout {
  width: number;
  showlegend: boolean;
  legend?: { orientation: string; y: number };
  title: { font: { size: number; family: string }; subtitle: { font: { size: number } } };
}

/** Breaks a title into lines that fit; a title with markup is only split at its own line breaks. */
function wrapTitle(text: string, { width, title: { font } }: FullLayout): string[] {
  if (/[<&$]/.test(text)) return text.split(/<br ?\/?>/);
  const pen = document.createElement("canvas").getContext("2d")!;
  pen.font = `${font.size}px ${font.family}`;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && pen.measureText(longer).width <= width * 0.94 - 8) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// A legend wraps differently when the width changes.
const widths = new WeakMap<Element, number>();
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const before = widths.get(target);
    widths.set(target, contentRect.width);
    const figure = figures.find(({ at }) => at === target)?.figure;
    if (before === undefined || before === contentRect.width || !figure || printing) continue;
    const at = target as HTMLElement;
    void plotly?.Plots.resize(at).then(() => fit(at, figure.layout ?? {}));
  }
});
for (const { at } of figures) resized.observe(at);

draw(dark.matches);
// Widgets show their figures later.
const widgets = new MutationObserver((changes) => {
  const added = changes.flatMap(({ target }) => (target.isConnected ? readFigures(target as Element) : []));
  figures.push(...added);
  for (const { at } of added) resized.observe(at);
  draw(dark.matches, undefined, added);
});
for (const each of document.querySelectorAll(".widget")) widgets.observe(each, { childList: true, subtree: true });
dark.addEventListener("change", () => draw(dark.matches));
narrow.addEventListener("change", () => draw(dark.matches));

const contents = document.querySelector<HTMLDetailsElement>("nav.contents details");
if (contents) {
  contents.open = wide.matches;
  wide.addEventListener("change", () => {
    contents.open = wide.matches;
  });
  contents.addEventListener("click", (event) => {
    if (!wide.matches && (event.target as Element).closest("a")) contents.open = false;
  });
}

/** The width of paper between its margins, in CSS pixels. */
const PAPER = 640;
// In print all sections are open, colours are light, and figures fit the width of the paper.
const opened: HTMLDetailsElement[] = [];
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll<HTMLDetailsElement>("main details:not([open])")) {
    details.open = true;
    opened.push(details);
  }
  printing = true;
  draw(false, PAPER);
  for (const table of document.querySelectorAll<HTMLElement>(".scroll > table")) {
    const share = PAPER / table.scrollWidth;
    if (share < 1) table.style.setProperty("zoom", String(share));
  }
});
addEventListener("afterprint", () => {
  printing = false;
  for (const table of document.querySelectorAll<HTMLElement>(".scroll > table")) table.style.removeProperty("zoom");
  for (const details of opened.splice(0)) details.open = false;
  draw(dark.matches);
});

// Elements that scroll on their own must be scrollable with the keyboard too.
const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) (target as HTMLElement).tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll("pre, .scroll, .math, .html")) scrolling.observe(box);

// A frame sends its content's height whenever it changes, and on request, because it may have loaded before this script.
// Widgets add theirs later.
const frames = () => [...document.querySelectorAll("iframe")];
for (const { contentWindow } of frames()) contentWindow?.postMessage("height", "*");
addEventListener("message", ({ source, data }) => {
  const height = (data as { halftoneHeight?: unknown } | null)?.halftoneHeight;
  const frame = frames().find(({ contentWindow }) => contentWindow === source);
  if (frame && typeof height === "number") frame.style.height = `${Math.min(height, 4000)}px`;
});
