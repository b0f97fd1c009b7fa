import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { escapeHtml } from "../../display/html.ts";

/** A plotly figure, as in its display data. */
interface Figure {
  data?: { type?: string }[];
  layout?: { title?: string | { text?: string }; height?: number; [key: string]: unknown };
  config?: Record<string, unknown>;
  frames?: unknown[];
}

export const PLOTLY = "application/vnd.plotly.v1+json";

/**
 * The trace types of plotly's cartesian bundle. A page contains the full bundle only for other traces, because it is several times larger
 * and its WebGL traces need a policy that allows `eval`.
 */
const CARTESIAN = new Set(
  "bar box contour heatmap histogram histogram2d histogram2dcontour image pie scatter scatterternary violin".split(" "),
);

export type Bundle = "cartesian" | "full";

/** Plotly's source code. The full bundle draws everything that the cartesian one does. */
export function plotlySource(bundle: Bundle): string {
  const files = {
    full: "plotly.js-dist-min/plotly.min.js",
    cartesian: "plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
  };
  return readFileSync(createRequire(import.meta.url).resolve(files[bundle]), "utf8");
}

/** The figures of one page, and the one copy of plotly that draws them. */
export class Figures {
  #count = 0;
  #full = false;
  readonly #captions: boolean;

  /** `captions` puts titles above the figures as text, which wraps on narrow pages. */
  constructor({ captions = false }: { captions?: boolean } = {}) {
    this.#captions = captions;
  }

  render(figure: Figure): string {
    this.#count++;
    this.#full ||= (figure.data ?? []).some(({ type = "scatter" }) => !CARTESIAN.has(type));
    const title = figure.layout?.title;
    const label = (typeof title === "string" ? title : title?.text)?.replaceAll(/<[^>]*>/g, " ").trim();
    const height = typeof figure.layout?.height === "number" ? figure.layout.height : 420;
    const caption = this.#captions && label ? `<p class="figure-title">${escapeHtml(label)}</p>` : "";
    const withoutTitle = caption === "" ? figure : { ...figure, layout: { ...figure.layout, title: undefined } };
    const json = JSON.stringify(withoutTitle).replaceAll("<", "\\u003c");
    return (
      `${caption}<figure class="plotly" role="group" aria-label="${escapeHtml(label || `Figure ${this.#count}`)}" style="min-height:${height}px">` +
      `<script type="application/json">${json}</script><noscript>This figure needs JavaScript.</noscript></figure>`
    );
  }

  /** The plotly bundle that the page's figures need; undefined if the page has no figures. */
  get bundle(): Bundle | undefined {
    if (this.#count === 0) return undefined;
    return this.#full ? "full" : "cartesian";
  }

  /** Whether the page's policy must allow `eval`: WebGL traces compile their drawing loops from text. */
  get needsEval(): boolean {
    return this.#full;
  }
}
