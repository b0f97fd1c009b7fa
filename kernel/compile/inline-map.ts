/** A cell's script for debuggers other than the kernel's own, which read its source map in it. */
import { eachMapping, encodedMap, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

type Segment = [column: number, source: number, line: number, sourceColumn: number];

interface InspectedScript {
  script: string;
  /** Source maps as JSON; a position in the script is mapped through each in order. */
  maps: readonly string[];
  /** What clients call the cell's source. */
  name: string;
  source: string;
  /** Whether a client is to stop before the first statement. */
  stopsFirst: boolean;
}

const directive = '"use strict";';
const stop = "debugger;";

/** The script with the comment that gives V8's clients the way from it to its cell. One without a statement has no stop. */
export function withInlineMap(inspected: InspectedScript): { script: string; stops: boolean } {
  const { script, maps, name, source, stopsFirst } = inspected;
  const lines = segmentsOf(maps);
  const first = stopsFirst ? lines.flat()[0] : undefined;
  const text = first ? directive + stop + script.slice(directive.length) : script;
  if (first) {
    const [, ...place] = first;
    const moved = lines[0]!.map(([column, ...rest]): Segment => [column + stop.length, ...rest]);
    lines[0] = [[directive.length, ...place], ...moved];
  }
  const composed = new TraceMap({ version: 3, names: [], sources: [name], sourcesContent: [source], mappings: lines });
  const json = JSON.stringify(encodedMap(composed));
  const comment = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString("base64")}`;
  return { script: text + comment, stops: first !== undefined };
}

function segmentsOf(maps: readonly string[]): Segment[][] {
  const [first, ...later] = maps.map((map) => new TraceMap(map));
  const lines: Segment[][] = [];
  if (first)
    eachMapping(first, ({ generatedLine, generatedColumn, originalLine, originalColumn }) => {
      const place = originalLine === null ? undefined : through(later, { line: originalLine, column: originalColumn });
      while (lines.length < generatedLine) lines.push([]);
      if (place) lines[generatedLine - 1]!.push([generatedColumn, 0, place.line - 1, place.column]);
    });
  return lines;
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
