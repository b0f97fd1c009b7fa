/** Finds the word at a cursor by walking from the cursor. A regular expression would be tried at every offset of the text. */

/** The longest word that counts as a name. */
const longest = 500;
const part = /^[\p{ID_Continue}$]$/u;

/** The start of the word that ends at `end`, or `end` when the word is too long to be a name. */
export function wordStart(text: string, end: number): number {
  let start = end;
  while (start > 0) {
    const size = isLow(text, start - 1) ? 2 : 1;
    if (!part.test(text.slice(start - size, start))) return start;
    start -= size;
    if (end - start > longest) return end;
  }
  return start;
}

/** The end of the word at or after `start`. */
export function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length) {
    const character = String.fromCodePoint(text.codePointAt(end)!);
    if (!part.test(character)) return end;
    end += character.length;
    if (end - start > longest) return start;
  }
  return end;
}

/** Whether the cursor is in or after a word that is too long to be a name. */
export function isInLongWord(text: string, cursor: number): boolean {
  const size = isLow(text, cursor - 1) ? 2 : 1;
  return part.test(text.slice(cursor - size, cursor)) && wordStart(text, cursor) === cursor;
}

/** The lines of a long cell around the cursor. */
export interface TextWindow {
  text: string;
  cursor: number;
  /** The offset of `text` in the whole cell. */
  offset: number;
}

/** The most characters read before and after the cursor, in total and on the cursor's line. */
const reach = { before: 16_000, after: 4000 };
const lineReach = { before: 2000, after: 500 };

/** Returns a short cell unchanged, and of a long one the lines around the cursor, up to the next very long line. */
export function windowAt(text: string, cursor: number): TextWindow {
  if (text.length <= lineReach.before) return { text, cursor, offset: 0 };
  let start = text.lastIndexOf("\n", cursor - 1) + 1;
  const last = text.indexOf("\n", cursor);
  let end = last === -1 ? text.length : last;
  if (cursor - start > lineReach.before) start = cursor - lineReach.before;
  else
    while (start > 0) {
      const above = start === 1 ? 0 : text.lastIndexOf("\n", start - 2) + 1;
      if (start - above > lineReach.before || cursor - above > reach.before) break;
      start = above;
    }
  if (end - cursor > lineReach.after) end = cursor + lineReach.after;
  else
    while (end < text.length) {
      const found = text.indexOf("\n", end + 1);
      const below = found === -1 ? text.length : found;
      if (below - end > lineReach.before || below - cursor > reach.after) break;
      end = below;
    }
  if (isLow(text, start)) start++;
  return { text: text.slice(start, end), cursor: cursor - start, offset: start };
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xdc00 || code > 0xdfff) return false;
  const high = text.charCodeAt(at - 1);
  return high >= 0xd800 && high <= 0xdbff;
}
