import { unitsAt } from "./aligned-text.ts";
import { byteSymbols } from "./merges.ts";
import type { Model, Word } from "./model/word.ts";

/** Words that are kept, and the units of the longest of them. Texts repeat their words, so that most are found here. */
const MOST_WORDS = 50_000;
const LONGEST = 100;

/** Encodes words by a model, each once. For a byte-level model, a word becomes the symbols of its bytes first. */
export function wordEncoder(model: Model, isByteLevel: boolean): (word: string) => Word {
  const known = new Map<string, Word>();
  const encode = isByteLevel ? (word: string) => encodeBytes(model, word) : model.encode;
  return (word) => {
    const found = known.get(word);
    if (found) return found;
    const encoded = encode(word);
    if (word.length <= LONGEST) {
      if (known.size >= MOST_WORDS) known.clear();
      known.set(word, encoded);
    }
    return encoded;
  };
}

const encoder = new TextEncoder();

function encodeBytes(model: Model, word: string): Word {
  const bytes = encoder.encode(word);
  let symbols = "";
  for (const byte of bytes) symbols += byteSymbols[byte];
  const encoded = model.encode(symbols);
  if (bytes.length === word.length) return encoded;
  // A token of a part of a character stands for the whole character.
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < word.length; ) {
    const end = at + unitsAt(word, at);
    for (let count = encoder.encode(word.slice(at, end)).length; count > 0; count--) {
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return {
    ids: encoded.ids,
    starts: encoded.starts.map((symbol) => starts[symbol]!),
    ends: encoded.ends.map((symbol) => ends[symbol - 1]!),
  };
}
