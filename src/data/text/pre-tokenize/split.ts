import { type AlignedText, slice } from "../aligned-text.ts";

/** What becomes of the matches of a pattern at which a text is split. */
export type Behavior = "Isolated" | "Removed" | "Contiguous" | "MergedWithPrevious" | "MergedWithNext";

/** A part of a text: where it begins and ends, and whether the pattern matched it. */
type Span = [from: number, to: number, isMatch: boolean];

/** Splits a text at the matches of a global pattern; with `isInverted`, at what lies between them. Empty pieces are left out. */
export function split(aligned: AlignedText, pattern: RegExp, behavior: Behavior, isInverted = false): AlignedText[] {
  // Most of the texts and pre-tokenizers: the matches are the pieces, and nobody asks where they lie.
  if (isInverted && behavior === "Removed" && !aligned.starts) {
    return (aligned.text.match(pattern) ?? []).map((text) => ({ text }));
  }
  const spans = spansOf(aligned.text, pattern, isInverted);
  return merged(spans, behavior)
    .filter(([from, to]) => to > from)
    .map(([from, to]) => slice(aligned, from, to));
}

function spansOf(text: string, pattern: RegExp, isInverted: boolean): Span[] {
  const spans: Span[] = [];
  let last = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > last) spans.push([last, index, isInverted]);
    spans.push([index, index + match.length, !isInverted]);
    last = index + match.length;
  }
  if (last < text.length) spans.push([last, text.length, isInverted]);
  return spans;
}

function merged(spans: Span[], behavior: Behavior): Span[] {
  switch (behavior) {
    case "Isolated":
      return spans;
    case "Removed":
      return spans.filter(([, , isMatch]) => !isMatch);
    case "Contiguous":
      return joined(spans, (isMatch, wasMatch) => isMatch === wasMatch);
    case "MergedWithPrevious":
      return joined(spans, (isMatch, wasMatch) => isMatch && !wasMatch);
    case "MergedWithNext": {
      const reversed = spans.reverse().map(([from, to, isMatch]): Span => [-to, -from, isMatch]);
      const result = joined(reversed, (isMatch, wasMatch) => isMatch && !wasMatch);
      return result.reverse().map(([from, to, isMatch]): Span => [-to, -from, isMatch]);
    }
  }
}

/** Joins a span to the one before it where `joins` says so. Before the first, nothing has matched. */
function joined(spans: readonly Span[], joins: (isMatch: boolean, wasMatch: boolean) => boolean): Span[] {
  const result: Span[] = [];
  let wasMatch = false;
  for (const [from, to, isMatch] of spans) {
    const previous = result.at(-1);
    if (previous && joins(isMatch, wasMatch)) previous[1] = to;
    else result.push([from, to, isMatch]);
    wasMatch = isMatch;
  }
  return result;
}
