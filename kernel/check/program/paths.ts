/** Files that exist only in the language server's memory. Their folder is the notebook's, so that relative imports work. */
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

/** The file of past cells that a URI or a path in a message refers to, without its extension. */
export function stemIn(path: string): string | undefined {
  return /\.halftone-(?:cell|page)-\d+(?=(?:\.tsx?)?$)/.exec(path)?.[0];
}

export function isCurrent(path: string): boolean {
  return /\.halftone-cell(?:\.tsx?)?$/.test(path);
}

/** Matches a file of the notebook in the paths of the compiler's messages. */
export const ownImport =
  /(?:typeof )?import\("[^"]*\.halftone-((?:history|cell|page)(?:-\d+)?)(?:\.tsx?)?"\)\.?((?:\$\$[fpm]?\d+\.?)*)/g;
