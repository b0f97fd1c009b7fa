// How a tensor shows itself as the value of a cell and on a console.
import { inspect } from "node:util";
import { runsNoUserCode } from "../../display/define-summary.ts";
import { escapeHtml } from "../../display/html.ts";
import { extendTensors, tf } from "../../runtime/index.ts";
import { shapeText } from "../names.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { heatMap, histogramSvg } from "./picture.ts";
import { type Summary, summarize } from "./summary.ts";
import { headline, isSmall, numberText, readShown, shown, statistics, textOf } from "./text.ts";

const cell = "padding:0.1em 0.6em;text-align:right;border:none";

/** The elements of a tensor of one or two axes; of more, those of the last two at the first place of the others. */
function tableOf(x: AnyTensor): string {
  const texts = readShown(x);
  const columns = x.shape.at(-1) ?? 1;
  const rows = x.rank > 1 ? x.shape.at(-2)! : 1;
  const line = (r: number | null) => {
    const cells = shown(columns, isSmall(x)).map((c) => (c === null || r === null ? "…" : texts.get(r * columns + c)!));
    return `<tr>${cells.map((text) => `<td style="${cell}">${text}</td>`).join("")}</tr>`;
  };
  const body = shown(rows, isSmall(x)).map(line).join("");
  return `<table style="border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0.3em 0">${body}</table>`;
}

function pictureOf(x: AnyTensor, summary: Summary): string {
  const { png, width, height, block } = heatMap(x, summary);
  const scale = Math.max(1, Math.min(8, Math.floor(288 / Math.max(width, height))));
  const pixel = block[0] * block[1] > 1 ? `, a pixel is the mean of ${block[0]} by ${block[1]}` : "";
  const extent = numberText(Math.max(Math.abs(summary.low), Math.abs(summary.high)));
  const caption = `blue -${extent}, white 0, red ${extent}${pixel}${firstOf(x)}`;
  return `<figure style="margin:0.3em 0"><img alt="Heat map of ${shapeText(x)}" src="data:image/png;base64,${png}" width="${width * scale}" height="${height * scale}" style="image-rendering:pixelated"><figcaption style="font-size:smaller">${caption}</figcaption></figure>`;
}

const firstOf = (x: AnyTensor): string =>
  x.rank > 2
    ? `; at [${Array(x.rank - 2)
        .fill("0")
        .join(", ")}]`
    : "";

/** A table where the elements can be read, a heat map of a matrix, a histogram of anything else. */
function bodyOf(x: AnyTensor, summary: Summary): string {
  const [rows, columns] = [x.shape.at(-2) ?? 1, x.shape.at(-1) ?? 1];
  if (isSmall(x) && x.rank <= 2) return tableOf(x);
  if (Number.isNaN(summary.low)) return "";
  if (x.rank >= 2 && rows >= 4 && columns >= 4) return pictureOf(x, summary);
  return summary.high > summary.low ? histogramSvg(x, summary) : "";
}

/** The display of a tensor in a notebook: its type, range and NaN count, and a small picture; never all of its numbers. */
export function bundleOf(x: AnyTensor): Record<string, string> {
  const numeric = x.dtype === "float32" || x.dtype === "int32" || x.dtype === "bool";
  if (x.isDisposed || !numeric || x.size === 0) return { "text/plain": textOf(x) };
  const summary = summarize(x);
  const text = textOf(x, summary);
  const warn = summary.nan > 0 || summary.infinite > 0 ? ` style="color:#b2182b"` : "";
  const numbers = x.size > 1 ? `<div${warn}>${escapeHtml(statistics(x, summary))}</div>` : "";
  const html = `<div><code>${escapeHtml(headline(x))}</code>${numbers}${bodyOf(x, summary)}</div>`;
  return { "text/html": html, "text/plain": text };
}

let installed = false;

/** Every tensor of the process, tfjs' own too, shows itself so. */
export function installShow(): void {
  if (installed) return;
  installed = true;
  const bundle = function (this: AnyTensor) {
    return bundleOf(this);
  };
  const text = runsNoUserCode(function (this: AnyTensor) {
    return textOf(this);
  });
  extendTensors(tf, {
    [Symbol.for("Jupyter.display")]: { value: bundle, configurable: true, writable: true },
    [inspect.custom]: { value: text, configurable: true, writable: true },
  });
}
