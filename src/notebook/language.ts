import { UserError } from "../base/user-error.ts";
import type { Notebook } from "./nbformat.ts";

type Metadata = {
  kernelspec?: { name?: string; language?: string; display_name?: string };
  language_info?: { name?: string };
};

/** The language in the notebook's metadata, in lower case; TypeScript if the metadata has none. */
export function languageOf(notebook: Notebook): string {
  const { kernelspec, language_info } = notebook.metadata as Metadata;
  return (language_info?.name ?? kernelspec?.language ?? "typescript").toLowerCase();
}

export function requireTypeScript(notebook: Notebook, name: string): void {
  const language = languageOf(notebook);
  if (["typescript", "javascript", "tsx", "jsx", "ts", "js"].includes(language)) return;
  const { kernelspec } = notebook.metadata as Metadata;
  const kernel = kernelspec?.name ? ` (kernel "${kernelspec.name}")` : "";
  throw new UserError(`${name} is a ${language} notebook${kernel}; halftone runs TypeScript and JavaScript notebooks.`);
}
