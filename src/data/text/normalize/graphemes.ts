import { unitsAt } from "../aligned-text.ts";

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * Characters that can be in one grapheme with a neighbour: marks and joiners, parts of emoji and flags, Hangul's letters, what Unicode
 * calls prepended and spacing letters, and the two halves of a line break.
 */
const JOINING = [
  "\\p{M}\\p{Cf}\\p{Emoji_Modifier}\\p{Regional_Indicator}\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff\\u0d4e\\u0e33\\u0eb3\\uff9e\\uff9f\\r\\n",
  "\\u{111c2}\\u{111c3}\\u{113d1}\\u{1193f}\\u{11941}\\u{11a3a}\\u{11a84}-\\u{11a89}\\u{11d46}\\u{11f02}\\u{16d63}\\u{16d67}-\\u{16d6a}",
].join("");
const RUNS = new RegExp(`[^${JOINING}](?![${JOINING}])|(?:[^${JOINING}]?[${JOINING}]+)+[^${JOINING}]?`, "gu");

/** The graphemes of a text. `Intl.Segmenter` takes more than linear time, so that it sees only the runs where characters can join. */
export function* graphemes(text: string): Generator<string> {
  for (const [run] of text.matchAll(RUNS)) {
    if (run.length === unitsAt(run, 0)) yield run;
    else for (const { segment } of segmenter.segment(run)) yield segment;
  }
}
