/**
 * A text and where it comes from: for each UTF-16 unit of `text`, the range of the original text that it stands for. `starts` and
 * `ends` are left out where nobody asks for offsets.
 */
export interface AlignedText {
  readonly text: string;
  readonly starts?: Int32Array;
  readonly ends?: Int32Array;
}

/** An original text. Both halves of a surrogate pair stand for the whole character. */
export function original(text: string, isTracked: boolean): AlignedText {
  if (!isTracked) return { text };
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let i = 0; i < text.length; ) {
    const end = i + unitsAt(text, i);
    starts.fill(i, i, end);
    ends.fill(end, i, end);
    i = end;
  }
  return { text, starts, ends };
}

export function slice(aligned: AlignedText, from: number, to: number): AlignedText {
  const { text, starts, ends } = aligned;
  if (from === 0 && to === text.length) return aligned;
  if (!starts || !ends) return { text: text.slice(from, to) };
  return { text: text.slice(from, to), starts: starts.subarray(from, to), ends: ends.subarray(from, to) };
}

/** The same alignment for a text of as many units. */
export function withText({ starts, ends }: AlignedText, text: string): AlignedText {
  return starts && ends ? { text, starts, ends } : { text };
}

/** Replaces each character by another text, which stands for what the character stood for. An empty text removes it. */
export function mapCharacters(aligned: AlignedText, map: (character: string) => string): AlignedText {
  const { text } = aligned;
  let made = "";
  const from: number[] | undefined = aligned.starts && [];
  for (let i = 0; i < text.length; ) {
    const length = unitsAt(text, i);
    const replaced = map(length === 1 ? text[i]! : text.slice(i, i + length));
    made += replaced;
    if (from) for (let unit = 0; unit < replaced.length; unit++) from.push(i);
    i += length;
  }
  return realigned(aligned, made, from);
}

/** Replaces each match of a pattern; the content stands for what the last character of the match stood for. */
export function replaceMatches(aligned: AlignedText, pattern: RegExp, content: string): AlignedText {
  if (!aligned.starts) return { text: aligned.text.replaceAll(pattern, () => content) };
  const { text } = aligned;
  let made = "";
  const from: number[] = [];
  let last = 0;
  const keep = (to: number) => {
    made += text.slice(last, to);
    for (let i = last; i < to; i++) from.push(i);
  };
  for (const { 0: match, index } of text.matchAll(pattern)) {
    keep(index);
    last = index + match.length;
    made += content;
    for (let unit = 0; unit < content.length; unit++) from.push(Math.max(0, last - 1));
  }
  keep(text.length);
  return realigned(aligned, made, from);
}

/** Puts a text in front, which stands for what the first character stands for. */
export function prepend(aligned: AlignedText, prefix: string): AlignedText {
  if (aligned.text === "") return aligned;
  const from =
    aligned.starts &&
    Array.from({ length: prefix.length + aligned.text.length }, (_, i) => Math.max(0, i - prefix.length));
  return realigned(aligned, prefix + aligned.text, from);
}

/**
 * Replaces the text by `characters`. A change of 0 takes the place of the next character, -n of the next n + 1; 1 is an insertion,
 * which stands for what the character before it stood for. These are the rules of `transform` in Python's library.
 */
export function transform(
  aligned: AlignedText,
  characters: readonly string[],
  changes: readonly number[],
): AlignedText {
  if (!aligned.starts) return { text: characters.join("") };
  const positions: number[] = [];
  for (let i = 0; i < aligned.text.length; i += unitsAt(aligned.text, i)) positions.push(i);
  const from: number[] = [];
  let next = 0;
  for (const [i, character] of characters.entries()) {
    const change = changes[i]!;
    const place = positions[Math.min(positions.length - 1, change > 0 ? Math.max(0, next - 1) : next)]!;
    for (let unit = 0; unit < character.length; unit++) from.push(place);
    if (change <= 0) next += 1 - change;
  }
  return realigned(aligned, characters.join(""), from);
}

/** A new text whose units stand for what the units `from` of the old one stood for. */
function realigned({ starts, ends }: AlignedText, text: string, from: readonly number[] | undefined): AlignedText {
  if (!from || !starts || !ends) return { text };
  return { text, starts: Int32Array.from(from, (i) => starts[i]!), ends: Int32Array.from(from, (i) => ends[i]!) };
}

/** How many units the character at a position has. */
export function unitsAt(text: string, i: number): 1 | 2 {
  return text.codePointAt(i)! > 0xffff ? 2 : 1;
}

/** How many units the character before a position has. */
export function unitsBefore(text: string, i: number): 1 | 2 {
  return i > 1 && unitsAt(text, i - 2) === 2 ? 2 : 1;
}

/** Whether a text has only ASCII characters. */
export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
