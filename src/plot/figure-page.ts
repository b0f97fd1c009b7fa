import { contentPolicy, inScript, jsonInScript } from "../display/content-policy.ts";
import { escapeHtml } from "../display/html.ts";
import { htmlPage } from "../display/html-page.ts";
import { type FigureParts, plainTitle } from "./figure-parts.ts";
import { bundleOf, plotlySource } from "./plotly.ts";
import { ink, palette } from "./template.ts";

const SCRIPT = `
const { data, layout, config } = JSON.parse(document.getElementById("data").textContent);
Plotly.newPlot("figure", data, layout, { ...config, responsive: true });
`;
/** On a transparent figure, plotly's own colours of the buttons are white on grey. */
const BUTTONS = { bgcolor: "rgba(0,0,0,0)", color: ink, activecolor: palette[0] };
const STYLE = "html, body { height: 100%; margin: 0 } body { font-family: system-ui, sans-serif }";

/** One self-contained HTML page with a live figure. It needs no network. */
export function figurePage({ data, layout, config }: FigureParts): string {
  const bundle = bundleOf(data);
  const scripts = [inScript(plotlySource(bundle)), SCRIPT];
  const policy = contentPolicy(scripts, { needsEval: bundle === "full" });
  const title = plainTitle(layout.title) || "Figure";
  const figure = { data, layout: { ...layout, modebar: { ...BUTTONS, ...layout.modebar } }, config };
  return htmlPage({
    title,
    policy,
    style: STYLE,
    body:
      `<main id="figure" role="group" aria-label="${escapeHtml(title)}"></main>` +
      `<noscript>This figure needs JavaScript.</noscript>` +
      `<script type="application/json" id="data">${jsonInScript(figure)}</script>` +
      scripts.map((text) => `<script>${text}</script>`).join(""),
  });
}
