import { jsonInScript } from "../../display/content-policy.ts";
import { escapeHtml } from "../../display/html.ts";
import { plainTitle } from "../../plot/figure-parts.ts";
import { type Bundle, bundleOf } from "../../plot/plotly.ts";

/** A plotly figure, as in its display data. */
interface Figure {
  data?: { type?: string }[];
  layout?: { title?: string | { text?: string }; height?: number; [key: string]: unknown };
  config?: Record<string, unknown>;
  frames?: unknown[];
}

export const PLOTLY = "application/vnd.plotly.v1+json";

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
    this.#full ||= bundleOf(figure.data ?? []) === "full";
    const label = plainTitle(figure.layout?.title);
    const height = typeof figure.layout?.height === "number" ? figure.layout.height : 420;
    const caption = this.#captions && label ? `<p class="figure-title">${escapeHtml(label)}</p>` : "";
    const withoutTitle = caption === "" ? figure : { ...figure, layout: { ...figure.layout, title: undefined } };
    return (
      `${caption}<figure class="plotly" role="group" aria-label="${escapeHtml(label || `Figure ${this.#count}`)}" style="min-height:${height}px">` +
      `<script type="application/json">${jsonInScript(withoutTitle)}</script><noscript>This figure needs JavaScript.</noscript></figure>`
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
