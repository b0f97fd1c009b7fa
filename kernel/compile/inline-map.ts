/** A cell's source map for debuggers other than the kernel's own, which read it in the script. */
import { eachMapping, encodedMap, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

type Segment = [column: number, source: number, line: number, sourceColumn: number];

/**
 * The comment that gives V8's clients the way from a script to its cell.
 *
 * @param maps source maps as JSON; a position in the script is mapped through each in order
 * @param name what clients call the cell's source
 */
export function inlineMap(maps: readonly string[], name: string, source: string): string {
  const [first, ...later] = maps.map((map) => new TraceMap(map));
  const lines: Segment[][] = [];
  if (first)
    eachMapping(first, ({ generatedLine, generatedColumn, originalLine, originalColumn }) => {
      const place = originalLine === null ? undefined : through(later, { line: originalLine, column: originalColumn });
      while (lines.length < generatedLine) lines.push([]);
      if (place) lines[generatedLine - 1]!.push([generatedColumn, 0, place.line - 1, place.column]);
    });
  const composed = new TraceMap({ version: 3, names: [], sources: [name], sourcesContent: [source], mappings: lines });
  const json = JSON.stringify(encodedMap(composed));
  return `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString("base64")}`;
}

function through(maps: readonly TraceMap[], start: { line: number; column: number }) {
  let place = start;
  for (const map of maps) {
    const found = originalPositionFor(map, place);
    if (found.line === null) return undefined;
    place = { line: found.line, column: found.column };
  }
  return place;
}
