/** Files that exist in the language server's memory alone, beside the notebook, so that relative imports mean what they say. */
const prefix = ".halftone-";

export const historyModule = `./${prefix}history.ts`;
export const globalsModule = `./${prefix}globals.d.ts`;
export const namesModule = `./${prefix}names.ts`;
export const proofModule = `./${prefix}proof.ts`;
export const currentModule = { ts: `./${prefix}cell.ts`, tsx: `./${prefix}cell.tsx` } as const;

export function cellModule(file: number, tsx: boolean): string {
  return `./${prefix}cell-${file}.${tsx ? "tsx" : "ts"}`;
}

export function pageModule(page: number): string {
  return `./${prefix}page-${page}.ts`;
}

/** The file of past cells that a URI or a path in a message names, without its ending. */
export function stemIn(path: string): string | undefined {
  return /\.halftone-(?:cell|page)-\d+(?=(?:\.tsx?)?$)/.exec(path)?.[0];
}

export function isCurrent(path: string): boolean {
  return /\.halftone-cell(?:\.tsx?)?$/.test(path);
}

/** A file of the notebook's own, as paths in the compiler's messages name it. */
export const ownImport =
  /(?:typeof )?import\("[^"]*\.halftone-((?:history|cell|page)(?:-\d+)?)(?:\.tsx?)?"\)\.?((?:\$\$[fpm]?\d+\.?)*)/g;
