import path from "node:path";
import { counted } from "../base/counted.ts";
import { requireWritable } from "../base/files.ts";
import { addFigureImages } from "../notebook/figure-images.ts";
import { readNotebook, writeNotebook } from "../notebook/nbformat.ts";

/** `halftone images`: writes a copy of the notebook in which every plotly figure also has a PNG. */
export async function images(file: string, { output }: { output?: string }): Promise<void> {
  const notebook = readNotebook(file);
  const copy = output ?? path.join(path.dirname(file), `${path.basename(file, ".ipynb")}.images.ipynb`);
  requireWritable(copy);
  const count = await addFigureImages(notebook);
  writeNotebook(copy, notebook);
  console.log(`${copy}: ${counted(count, "figure")} drawn`);
}
