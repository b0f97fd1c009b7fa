/** Files that exist in the language server's memory alone, beside the notebook, so that relative imports mean what they say. */
const prefix = ".halftone-";

export const historyModule = `./${prefix}history.ts`;
export const globalsModule = `./${prefix}globals.d.ts`;
export const namesModule = `./${prefix}names.ts`;
export const currentModule = { ts: `./${prefix}cell.ts`, tsx: `./${prefix}cell.tsx` } as const;

export function cellModule(file: number, tsx: boolean): string {
  return `./${prefix}cell-${file}.${tsx ? "tsx" : "ts"}`;
}

/** The number of the past cell's file that a URI or a path in a message names. */
export function fileIn(path: string): number | undefined {
  const found = /\.halftone-cell-(\d+)(?:\.tsx?)?$/.exec(path)?.[1];
  return found === undefined ? undefined : Number(found);
}

export function isCurrent(path: string): boolean {
  return /\.halftone-cell(?:\.tsx?)?$/.test(path);
}

/** A file of the notebook's own, as paths in the compiler's messages name it. */
export const ownImport = /(?:typeof )?import\("[^"]*\.halftone-(?:(history|cell)(?:-(\d+))?)(?:\.tsx?)?"\)\.?/g;
