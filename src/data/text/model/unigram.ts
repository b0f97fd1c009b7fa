import { unitsAt } from "../aligned-text.ts";
import { type Part, refuse } from "../part.ts";
import { byteIds } from "./vocabulary.ts";
import type { Model, Word } from "./word.ts";

/** How much less an unknown character scores than the least likely token. */
const UNKNOWN_PENALTY = 10;

/**
 * Unigram: the tokens with the highest sum of log-probabilities (Viterbi). Unknown characters side by side become one token.
 *
 * Kudo 2018 (arXiv 1804.10959).
 */
export function unigram(part: Part): Model {
  if (!Array.isArray(part.vocab)) refuse("a Unigram model without a vocabulary", "vocab must be an array of pairs");
  const isEntry = ([token, score]: unknown[]) => typeof token === "string" && Number.isFinite(score);
  const wrong = part.vocab.findIndex((entry) => !Array.isArray(entry) || !isEntry(entry));
  if (wrong >= 0)
    refuse(`an invalid vocab.${wrong}`, `expected a token and its score, got ${JSON.stringify(part.vocab[wrong])}`);
  const entries = part.vocab as [token: string, score: number][];
  const vocabulary = new Map(entries.map(([token], id) => [token, id]));
  const scores = Float64Array.from(entries, ([, score]) => score);
  const lengths = [...new Set(entries.map(([token]) => token.length))]
    .filter((length) => length > 0)
    .sort((a, b) => a - b);
  const unknown = typeof part.unk_id === "number" ? part.unk_id : undefined;
  if (unknown !== undefined && !(unknown in entries))
    refuse(`the unk_id ${unknown}`, `its vocabulary has ${entries.length} tokens`);
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
  const bytes = part.byte_fallback === true ? byteIds(vocabulary) : undefined;

  /** Where the best last token of each prefix begins, and its id; -1 for an unknown character. */
  function bestPath(text: string): { begins: Int32Array; ids: Int32Array } {
    const begins = new Int32Array(text.length + 1).fill(-1);
    const ids = new Int32Array(text.length + 1);
    const best = new Float64Array(text.length + 1);
    const offer = (from: number, to: number, id: number, score: number) => {
      const sum = best[from]! + score;
      if (begins[to] !== -1 && sum <= best[to]!) return;
      best[to] = sum;
      begins[to] = from;
      ids[to] = id;
    };
    for (let from = 0; from < text.length; ) {
      const single = unitsAt(text, from);
      let isKnown = false;
      for (const length of lengths) {
        if (from + length > text.length) break;
        const id = vocabulary.get(text.slice(from, from + length));
        if (id === undefined) continue;
        offer(from, from + length, id, scores[id]!);
        if (length === single) isKnown = true;
      }
      if (!isKnown) offer(from, from + single, unknown ?? -1, unknownScore);
      from += single;
    }
    return { begins, ids };
  }

  return {
    name: "Unigram",
    vocabulary,
    encode(text) {
      const { begins, ids } = bestPath(text);
      const spans: [from: number, to: number, isUnknown: boolean][] = [];
      for (let to = text.length; to > 0; to = begins[to]!) {
        const last = spans.at(-1);
        const isUnknown = ids[to] === (unknown ?? -1);
        if (isUnknown && last?.[2]) last[0] = begins[to]!;
        else spans.push([begins[to]!, to, isUnknown]);
      }
      const word: Word = { ids: [], starts: [], ends: [] };
      for (const [from, to] of spans.reverse()) {
        const piece = text.slice(from, to);
        for (const id of idsOf(piece)) {
          word.ids.push(id);
          word.starts.push(from);
          word.ends.push(to);
        }
      }
      return word;
    },
  };

  function idsOf(piece: string): readonly number[] {
    const id = vocabulary.get(piece);
    if (id !== undefined) return [id];
    if (bytes) return Array.from(new TextEncoder().encode(piece), (byte) => bytes[byte]!);
    return [unknown ?? refuse("no unk_id", `the character ${JSON.stringify(piece)} is not in its vocabulary`)];
  }
}
