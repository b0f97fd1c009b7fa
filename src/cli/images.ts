import path from "node:path";
import { requireWritable } from "../base/files.ts";
import { addFigureImages } from "../notebook/figure-images.ts";
import { readNotebook, writeNotebook } from "../notebook/nbformat.ts";

/** `halftone images`: a copy of the notebook in which every figure has an image beside it. */
export async function images(file: string, { output }: { output?: string }): Promise<void> {
  const notebook = readNotebook(file);
  const copy = output ?? path.join(path.dirname(file), `${path.basename(file, ".ipynb")}.images.ipynb`);
  requireWritable(copy);
  const count = await addFigureImages(notebook);
  writeNotebook(copy, notebook);
  console.log(`${copy}: ${count} ${count === 1 ? "figure" : "figures"} drawn`);
}
