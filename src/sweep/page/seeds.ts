import type { Data } from "plotly.js";
import { shortNumber } from "../../base/short-number.ts";
import { escapeHtml } from "../../display/html.ts";
import { type Figure, figure } from "../../plot/figure.ts";
import { palette } from "../../plot/template.ts";
import type { Goal } from "../best.ts";
import { type Group, parametersText, valueText } from "../groups.ts";
import { plotlyText } from "./plotly-text.ts";
import { isLogarithmic } from "./scale.ts";

/** The goal's mean over seeds, with one standard deviation as error bars, over the numeric parameter with the most values. */
export function seedsFigure(groups: readonly Group[], { metric }: Goal): Figure {
  const measured = groups.filter(({ count }) => count > 0);
  const names = Object.keys(measured[0]?.parameters ?? {});
  const valuesOf = (name: string) => measured.map(({ parameters }) => parameters[name]);
  const distinct = (name: string) => new Set(valuesOf(name).map(valueText)).size;
  const x = names
    .filter((name) => valuesOf(name).every((value) => Number.isFinite(value)) && distinct(name) > 1)
    .sort((a, b) => distinct(b) - distinct(a))[0];
  const series = new Map<string, Group[]>();
  for (const group of measured) {
    const others = names.filter((name) => name !== x && distinct(name) > 1);
    const key = x === undefined ? "" : parametersText(pick(group, others));
    series.set(key, [...(series.get(key) ?? []), group]);
  }
  const isReadable = x !== undefined && series.size <= palette.length;
  const trace = (name: string, members: readonly Group[]) => {
    const sorted = isReadable
      ? [...members].sort((a, b) => (a.parameters[x] as number) - (b.parameters[x] as number))
      : members;
    return {
      type: "scatter",
      mode: isReadable ? "lines+markers" : "markers",
      name: plotlyText(name || metric),
      showlegend: isReadable && series.size > 1,
      x: sorted.map(({ parameters }) =>
        isReadable
          ? parameters[x]
          : plotlyText(
              parametersText(
                pick(
                  { parameters },
                  names.filter((each) => distinct(each) > 1),
                ),
              ),
            ),
      ),
      y: sorted.map(({ mean }) => mean),
      error_y: {
        type: "data",
        array: sorted.map(({ spread }) => (Number.isFinite(spread) ? spread : 0)),
        thickness: 1.5,
      },
    } as Data;
  };
  const numbers = isReadable ? (valuesOf(x) as number[]) : [];
  return figure({
    data: isReadable ? [...series].map(([name, members]) => trace(name, members)) : [trace("", measured)],
    layout: {
      title: { text: `${metric}: mean and standard deviation over seeds` },
      height: 420,
      hovermode: "closest",
      xaxis: isReadable
        ? {
            title: { text: plotlyText(x) },
            exponentformat: "power",
            ...(isLogarithmic(numbers) ? { type: "log" } : {}),
          }
        : { type: "category", automargin: true },
      yaxis: { title: { text: plotlyText(metric) }, exponentformat: "power" },
    },
  });
}

/** The groups, best first; those with a mean of NaN last. */
export function seedsTable(groups: readonly Group[], { metric, direction }: Goal): string {
  const sign = direction === "max" ? -1 : 1;
  const rows = groups
    .filter(({ count }) => count > 0)
    .sort((a, b) => Number(Number.isNaN(a.mean)) - Number(Number.isNaN(b.mean)) || sign * (a.mean - b.mean))
    .map(({ parameters, mean, spread, count, records }) => {
      const deviation = Number.isFinite(spread) ? ` ± ${Number(spread.toPrecision(2))}` : "";
      const failed = records.filter(({ status }) => status === "error").length;
      return `<tr><td>${escapeHtml(parametersText(parameters))}</td><td class="number whole">${shortNumber(mean)}${deviation}</td><td class="number">${count}</td><td class="number">${failed}</td></tr>`;
    });
  return (
    `<div class="scroll"><table><thead><tr><th scope="col">parameters</th><th scope="col" class="number">${escapeHtml(metric)}</th>` +
    `<th scope="col" class="number">seeds</th><th scope="col" class="number">failed</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  );
}

const pick = ({ parameters }: Pick<Group, "parameters">, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, parameters[name]]));
