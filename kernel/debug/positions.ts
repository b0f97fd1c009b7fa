/** Positions in the person's source and in the script that V8 runs, and the way between them. */
import { generatedPositionFor, LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** A position in a source: line and column from 1, in UTF-16 code units. */
export interface Position {
  line: number;
  column: number;
}

/** A position in a script, as V8 counts: from 0. */
export interface ScriptPosition {
  lineNumber: number;
  columnNumber?: number | undefined;
}

/** What compilation put around a cell's statements (`compile/rewrite.ts`) and where V8 may stop in it. */
export interface Wrapping {
  /** Matches calls of the host before an expression of the person's, at the start of a text. */
  prefix: RegExp;
  /** Matches those that belong to the expression's own statement, at the end of a text. */
  before: RegExp;
  /** Matches what loads imports. */
  load: RegExp;
}

export class ScriptMap {
  readonly text: string;
  readonly #maps: readonly TraceMap[];
  readonly #mapTexts: readonly string[];
  readonly #wrapping: Wrapping | undefined;
  #lines: number[] | undefined;

  /** `maps` lead from the script to the source, one after another. */
  constructor(text: string, maps: readonly string[], wrapping?: Wrapping) {
    this.text = text;
    this.#mapTexts = maps;
    this.#maps = maps.filter((map) => map !== "").map((map) => new TraceMap(map));
    this.#wrapping = wrapping;
  }

  /** Whether both lead the same way: an edited file may compile to the same text, from other lines. */
  equals(other: ScriptMap): boolean {
    return this.text === other.text && this.#mapTexts.join("\n") === other.#mapTexts.join("\n");
  }

  /** Undefined where the compiler put code of its own. */
  toSource(at: ScriptPosition): Position | undefined {
    const offset = this.offsetOf(at);
    const rest = this.text.slice(offset, offset + mostPrefix);
    if (this.#wrapping?.load.test(rest)) return undefined;
    const skipped = this.#wrapping ? (this.#wrapping.prefix.exec(rest)?.[0].length ?? 0) : 0;
    let place = { line: at.lineNumber + 1, column: (at.columnNumber ?? 0) + skipped };
    for (const map of this.#maps) {
      const found = originalPositionFor(map, place);
      if (found.line === null) return undefined;
      place = { line: found.line, column: found.column };
    }
    return { line: place.line, column: place.column + 1 };
  }

  /** The first place in the script for code at or after this position; undefined when there is none on its line. */
  toScript({ line, column }: Position): { lineNumber: number; columnNumber: number } | undefined {
    let place = { line, column: column - 1 };
    for (const map of [...this.#maps].reverse()) {
      const [source] = map.sources;
      const found = generatedPositionFor(map, { source: source ?? "", ...place, bias: LEAST_UPPER_BOUND });
      if (found.line === null) return undefined;
      place = { line: found.line, column: found.column };
    }
    const at = { lineNumber: place.line - 1, columnNumber: place.column };
    if (!this.#wrapping) return at;
    const offset = this.offsetOf(at);
    const before = this.text.slice(Math.max(offset - mostPrefix, offset - place.column), offset);
    // V8 stops at a statement's first call, which is the host's when the person's is awaited.
    return { ...at, columnNumber: place.column - (this.#wrapping.before.exec(before)?.[0].length ?? 0) };
  }

  offsetOf({ lineNumber, columnNumber = 0 }: ScriptPosition): number {
    if (!this.#lines) {
      this.#lines = [0];
      for (let end = this.text.indexOf("\n"); end !== -1; end = this.text.indexOf("\n", end + 1))
        this.#lines.push(end + 1);
    }
    return (this.#lines[lineNumber] ?? this.text.length) + columnNumber;
  }
}

/** Longer than any call of the host before a person's expression. */
const mostPrefix = 2000;

/** `host` is the global that holds the host's functions. */
export function wrappingOf(host: string): Wrapping {
  const around = `value\\(\\d+,\\(|awaited\\(|waits\\(\\d+,\\d+,\\(`;
  const bound = `void\\((?:[\\p{ID_Continue}$]+=)*(?:\\{[^}]*\\}=)?`;
  return {
    prefix: new RegExp(`^(?:${host}\\.(?:sync\\(\\(\\)=>[({]|${around})|await )+`),
    before: new RegExp(`(?:${host}\\.(?:${around})|await )+$`),
    load: new RegExp(`^(?:${bound})?(?:${host}\\.awaited\\(await )?${host}\\.load\\(`, "u"),
  };
}
