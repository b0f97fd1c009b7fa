import path from "node:path";
import { requireWritable, writeWhole } from "../base/files.ts";
import { UserError } from "../base/user-error.ts";
import { readNotebook } from "../notebook/nbformat.ts";
import { whatIsAt } from "../notebook/read-text.ts";
import { renderPage } from "../notebook/report/index.ts";

/** `halftone report`: writes the notebook as one self-contained HTML page. */
export async function report(file: string, { output }: { output?: string }): Promise<void> {
  const notebook = readNotebook(file);
  const name = path.basename(file, ".ipynb").replace(/\.executed$/, "");
  const page = pageFor(file, `${path.basename(file, ".ipynb")}.html`, output);
  requireWritable(page);
  writeWhole(page, await renderPage(notebook, { name, folder: path.dirname(file) }));
  console.log(page);
}

function pageFor(file: string, name: string, output?: string): string {
  if (output === undefined) return path.join(path.dirname(file), name);
  if (/\.html?$/.test(output)) return output;
  if (/[\\/]$/.test(output) || whatIsAt(output, { option: "-o", wanted: "a page" })?.isDirectory())
    return path.join(output, name);
  throw new UserError(`-o ${output}: the page's name must end in .html (or give an existing folder).`);
}
