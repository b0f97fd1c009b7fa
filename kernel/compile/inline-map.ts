/** A cell's script for debuggers other than the kernel's own, which read its source map in it. */
import { eachMapping, encodedMap, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { mapComment } from "./map-comment.ts";

type Segment = [column: number, source: number, line: number, sourceColumn: number];

interface InspectedScript {
  /** Compiled with `inOneFunction`. */
  script: string;
  /** Source maps as JSON; a position in the script is mapped through each in order. */
  maps: readonly string[];
  /** What clients call the cell's source. */
  name: string;
  source: string;
  /** The beginning of the cell's function, if a client is to stop before its first statement. */
  stopsAfter?: string | undefined;
}

const stop = "debugger;";

/** The script with the comment that gives V8's clients the way from it to its cell. One without a statement has no stop. */
export function withInlineMap(inspected: InspectedScript): { script: string; stops: boolean } {
  const { script, maps, name, source, stopsAfter } = inspected;
  const lines = segmentsOf(maps);
  const at = stopsAfter === undefined ? undefined : script.indexOf(stopsAfter) + stopsAfter.length;
  const stops = at !== undefined && insertStop(lines, script.slice(0, at).split("\n"));
  const text = stops ? script.slice(0, at) + stop + script.slice(at) : script;
  const composed = new TraceMap({ version: 3, names: [], sources: [name], sourcesContent: [source], mappings: lines });
  return { script: text + mapComment(encodedMap(composed)), stops };
}

/** Maps a stop after the text `before` to the statement that follows; false when there is none. */
function insertStop(lines: Segment[][], before: readonly string[]): boolean {
  const line = before.length - 1;
  const column = before[line]!.length;
  const onLine = lines[line] ?? [];
  const after = onLine.filter((segment) => segment[0] >= column);
  const next = after[0] ?? lines.slice(line + 1).flat()[0];
  if (!next) return false;
  const [, ...place] = next;
  const moved = after.map(([at, ...rest]): Segment => [at + stop.length, ...rest]);
  lines[line] = [...onLine.slice(0, onLine.length - after.length), [column, ...place], ...moved];
  return true;
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
  // A call of the host may stand before a line's first expression, and clients stop at it.
  return lines.map((line) => {
    const [column = 0, ...place] = line[0] ?? [];
    return column > 0 ? [[0, ...(place as [number, number, number])], ...line] : line;
  });
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
