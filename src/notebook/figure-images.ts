import { UserError } from "../base/user-error.ts";
import { type DrawnFigure, drawImages, imageSize } from "../plot/draw.ts";
import type { Notebook } from "./nbformat.ts";
import { PLOTLY } from "./report/figure.ts";

/** Image pixels per CSS pixel. */
const scale = 2;

/**
 * Adds a PNG to every plotly figure that has none, for programs that cannot run plotly, such as nbconvert for LaTeX and PDF. Plotly
 * draws the figures in a browser of this machine; without figures no browser is needed. Returns the number of figures drawn.
 */
export async function addFigureImages(notebook: Notebook): Promise<number> {
  const outputs = notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .filter((output) => output.output_type === "display_data" || output.output_type === "execute_result")
    .filter(({ data }) => data[PLOTLY] !== undefined && data["image/png"] === undefined);
  if (outputs.length === 0) return 0;
  const results = await drawImages(
    outputs.map(({ data }) => data[PLOTLY] as DrawnFigure),
    { format: "png", scale },
  );
  for (const [index, output] of outputs.entries()) {
    const image = results[index] ?? { error: "the browser returned no image" };
    if ("error" in image) throw new UserError(`Figure ${index + 1} could not be drawn: ${image.error}`, 1);
    output.data["image/png"] = `${image.content}\n`;
    output.metadata["image/png"] = imageSize(output.data[PLOTLY] as DrawnFigure);
  }
  return outputs.length;
}
