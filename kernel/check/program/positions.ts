import type { Markup, Position } from "../server/protocol.ts";

/** Converts an offset (UTF-16 units) to a line and a character. */
export function positionIn(text: string, offset: number): Position {
  let line = 0;
  let start = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, character: offset - start };
}

/** Converts a line and a character to an offset, which is clamped to the text. */
export function offsetIn(text: string, { line, character }: Position): number {
  if (line < 0) return 0;
  let start = 0;
  for (let passed = 0; passed < line; passed++) {
    const at = text.indexOf("\n", start);
    if (at === -1) return text.length;
    start = at + 1;
  }
  return Math.min(start + character, text.length);
}

export function shifted({ line, character }: Position, lines: number): Position {
  return { line: line + lines, character };
}

export function markupText(markup: Markup | undefined): string {
  return typeof markup === "string" ? markup : (markup?.value ?? "");
}
