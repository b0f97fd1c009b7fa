/** A syntax error and its position in the cell. Lines and columns count from 1, columns in UTF-16 code units. */
export interface Diagnostic {
  message: string;
  line: number;
  column: number;
  /** The line with its neighbours, and a caret under the position. */
  frame: string;
}

export function positionAt(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = source.indexOf("\n"); at !== -1 && at < offset; at = source.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** Like `positionAt`, but faster for many offsets in one text. */
export function positionsIn(source: string): (offset: number) => { line: number; column: number } {
  let starts: number[] | undefined;
  return (offset) => {
    if (!starts) {
      starts = [0];
      for (let at = source.indexOf("\n"); at !== -1; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
    }
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}

export function diagnosticAt(source: string, offset: number, message: string): Diagnostic {
  const { line, column } = positionAt(source, offset);
  return { message, line, column, frame: codeFrame(source, line, column) };
}

/** The most characters shown of each line, so that the frame of a very long line stays readable. */
const width = 160;

/** Returns two lines before, the line, a caret (or a squiggle under `length` characters), and one line after. */
export function codeFrame(source: string, line: number, column: number, length = 1): string {
  const lines = source.split("\n");
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 1);
  const gutter = String(last).length;
  const skipped = column > width - 20 ? column - 60 : 0;
  let frame = "";
  for (let number = first; number <= last; number++) {
    const text = (lines[number - 1] ?? "").replace(/\r$/, "").slice(skipped, skipped + width);
    frame += `${number === line ? ">" : " "} ${String(number).padStart(gutter)} | ${text}\n`;
    if (number === line) {
      const before = text.slice(0, column - 1 - skipped).replace(/[^\t]/g, " ");
      const mark = length > 1 ? "~".repeat(Math.max(1, Math.min(length, text.length - before.length))) : "^";
      frame += `  ${" ".repeat(gutter)} | ${before}${mark}\n`;
    }
  }
  return frame.trimEnd();
}
