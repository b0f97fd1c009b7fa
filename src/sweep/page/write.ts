import { readFileSync } from "node:fs";
import path from "node:path";
import { counted } from "../../base/counted.ts";
import { writeWhole } from "../../base/files.ts";
import { shortNumber } from "../../base/short-number.ts";
import { contentPolicy } from "../../display/content-policy.ts";
import { escapeHtml } from "../../display/html.ts";
import { readNotebook } from "../../notebook/nbformat.ts";
import { Figures } from "../../notebook/report/figure.ts";
import { renderPage, sharedPlotly, titleOf } from "../../notebook/report/index.ts";
import { behaviourOf, document, inlineScript } from "../../notebook/report/page.ts";
import { seconds } from "../../notebook/report/run-summary.ts";
import type { Figure } from "../../plot/figure.ts";
import { bestOf, type Goal, goalOf } from "../best.ts";
import { groupsOf, parametersText, valueText } from "../groups.ts";
import type { Plan } from "../plan.ts";
import type { PointRecord } from "../record.ts";
import type { Store } from "../store.ts";
import { lastValue, metricNames, parameterNames, secondsOf } from "../table.ts";
import { curvesFigure } from "./curves.ts";
import { parallelCoordinates } from "./parallel.ts";
import { pointsTable } from "./points-table.ts";
import { seedsFigure, seedsTable } from "./seeds.ts";

/** Metrics that have an axis or a figure of their own: the goal and the first others. */
const MOST_METRICS = 4;

/** Writes index.html and the best point's page, best.html, into the sweep's folder. Returns the path of index.html. */
export async function writePages(
  store: Store,
  plan: Plan,
  records: readonly PointRecord[],
  given: Goal | undefined,
): Promise<string> {
  const sharePlotly = sharedPlotly(store.folder);
  const goal = goalOf(records, given);
  const best = goal && bestOf(records, goal);
  const name = path.basename(plan.notebook, ".ipynb");
  if (best) {
    const notebook = readNotebook(store.notebookFile(best.id));
    const folder = path.resolve(store.folder, plan.folder);
    const page = await renderPage(notebook, { name, folder, home: "index.html", homeText: "All points", sharePlotly });
    writeWhole(store.file("best.html"), page);
  }
  const figures = new Figures({ captions: true });
  const title = `${titleOf(store.source(), name)}: sweep`;
  const sections = [
    `<h1>${escapeHtml(title)}</h1>`,
    summary(plan, records, goal, best),
    ...(records.length === 0
      ? []
      : [`<h2>Points</h2>${pointsTable(records, best)}`, ...figureSections(figures, plan, records, goal)]),
  ];
  const behaviour = behaviourOf(figures, sharePlotly);
  const script = inlineScript(new URL("./browser.js", import.meta.url));
  const html = document({
    title,
    policy: contentPolicy([...behaviour.inline, script], { needsEval: figures.needsEval, nonce: behaviour.nonce }),
    style: readFileSync(new URL("../../../../src/sweep/page/page.css", import.meta.url), "utf8"),
    body: `<main id="main" class="sweep">${sections.join("\n")}</main>${behaviour.html}<script>${script}</script>`,
  });
  const index = store.file("index.html");
  writeWhole(index, html);
  return index;
}

function summary(
  plan: Plan,
  records: readonly PointRecord[],
  goal: Goal | undefined,
  best: PointRecord | undefined,
): string {
  const failed = records.filter(({ status }) => status === "error").length;
  const missing = plan.points.length - records.length;
  const time = records.reduce((sum, record) => sum + secondsOf(record), 0);
  const facts = [
    `${records.length - failed} of ${counted(plan.points.length, "point")} done`,
    ...(failed > 0 ? [`<span class="state error">${failed} failed</span>`] : []),
    ...(missing > 0 ? [`<span class="state running">${missing} not run</span>`] : []),
    `${seconds(time) || "less than 0.1 s"} of running time`,
    `halftone ${escapeHtml(plan.identity.version)}`,
    `<a href="results.csv">results.csv</a>`,
    `<a href="results.parquet">results.parquet</a>`,
  ];
  const result =
    goal && best
      ? `<p class="summary">Best ${escapeHtml(goal.metric)} (${goal.direction === "max" ? "highest" : "lowest"}): <strong>${shortNumber(lastValue(best, goal.metric)!)}</strong> ` +
        `with ${escapeHtml(parametersText(best.parameters))} · <a href="best.html">its page</a> · <a href="points/${best.id}.ipynb">its notebook</a></p>`
      : goal
        ? `<p class="summary">No point that succeeded has a number as its ${escapeHtml(goal.metric)}.</p>`
        : `<p class="summary">The notebook reports no result. <code>metric("accuracy", value)</code> in a cell adds one to the table and the figures.</p>`;
  return `<p class="note">${facts.join(" · ")}</p>${result}`;
}

function figureSections(
  figures: Figures,
  plan: Plan,
  records: readonly PointRecord[],
  goal: Goal | undefined,
): string[] {
  const metrics = metricNames(records);
  const groups = groupsOf(records, goal);
  const others = metrics.filter((name) => name !== goal?.metric).slice(0, MOST_METRICS - 1);
  const shown = goal ? [...others, goal.metric] : others;
  const varying = parameterNames(plan).filter(
    (name) => new Set(records.map(({ parameters }) => valueText(parameters[name]))).size > 1,
  );
  const curves = shown.filter((name) => records.some((record) => (seriesLength(record, name) ?? 0) > 1)).reverse();
  const hasSeeds = groups.some(({ count }) => count > 1);
  const hasValues = goal !== undefined && records.some((record) => lastValue(record, goal.metric) !== undefined);
  return [
    ...(hasValues && varying.length > 0
      ? [
          section(
            "Parallel coordinates",
            figures,
            parallelCoordinates(records, { parameters: varying, metrics: shown, goal }),
          ),
        ]
      : []),
    ...(goal && hasSeeds
      ? [`${section("Over seeds", figures, seedsFigure(groups, goal))}${seedsTable(groups, goal)}`]
      : []),
    ...(curves.length > 0
      ? [
          `<h2>Learning curves</h2>${curves.map((name) => figures.render(parts(curvesFigure(groups, name, goal)))).join("")}`,
        ]
      : []),
  ];
}

const seriesLength = ({ metrics }: PointRecord, name: string) =>
  metrics.find((each) => each.name === name)?.values.length;

const section = (title: string, figures: Figures, figure: Figure) =>
  `<h2>${title}</h2>${figures.render(parts(figure))}`;

const parts = ({ data, layout, config }: Figure) => ({ data, layout, config }) as Parameters<Figures["render"]>[0];
