import type { CodeCell, Notebook, NotebookOutput } from "../nbformat.ts";
import { hasTag } from "../parameters.ts";
import { PLOTLY } from "./figure.ts";

/** The output that represents the notebook on the landing page: that of the cell tagged `headline`, otherwise the first figure. */
export function headlineOf({ cells }: Notebook): NotebookOutput | undefined {
  const code = cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
  const tagged = code.find((cell) => hasTag(cell, "headline"));
  if (tagged) return tagged.outputs.findLast(isFigure) ?? tagged.outputs.findLast((output) => "data" in output);
  return code.flatMap(({ outputs }) => outputs).find(isFigure);
}

const FIGURES = [PLOTLY, "image/svg+xml", "image/png", "image/jpeg"];

function isFigure(output: NotebookOutput): boolean {
  return "data" in output && FIGURES.some((type) => type in (output.data as Record<string, unknown>));
}
