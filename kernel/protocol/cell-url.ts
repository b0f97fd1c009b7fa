/** The URL under which V8 and its inspector know a cell's script. */
export const cellUrlScheme = "halftone:cell/";

export function cellUrl(id: number): string {
  return cellUrlScheme + id;
}

/** The cell of a script's URL; undefined for another script. */
export function cellOfUrl(url: string): number | undefined {
  return url.startsWith(cellUrlScheme) ? Number(url.slice(cellUrlScheme.length)) : undefined;
}
