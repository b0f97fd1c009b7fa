import { inspect } from "node:util";

/** Options of `Tokenizer.encode`. */
export interface TokenizerOptions {
  /** Most tokens kept, special tokens included; by default as many as the tokenizer's file says, or else all. */
  maxLength?: number;
}

/** Encodes text as token ids and decodes ids. */
export interface Tokenizer {
  name: string;
  /** Ids run from 0 to `size - 1`. */
  size: number;
  /** The id of the padding; 0 where there is no token for it. */
  paddingId: number;
  encode(text: string, options?: TokenizerOptions): Int32Array;
  /** Padding is left out. Throws RangeError for an id outside the vocabulary. */
  decode(ids: ArrayLike<number>): string;
}

/**
 * One token for each byte of UTF-8, for any text: the padding and 256 ids.
 *
 * @throws RangeError, when decoding, for an id outside the vocabulary
 */
export function byteTokenizer(): Tokenizer {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return {
    name: "bytes",
    size: 257,
    paddingId: 0,
    encode: (text, { maxLength } = {}) =>
      Int32Array.from(encoder.encode(text).subarray(0, checkedLength(maxLength)), (byte) => byte + 1),
    decode: (ids) =>
      decoder.decode(
        Uint8Array.from(
          checked(ids, 257)
            .filter((id) => id > 0)
            .map((id) => id - 1),
        ),
      ),
  };
}

/** What an unknown character is decoded to. */
const UNKNOWN = "\ufffd";

/**
 * One token for each character (code point) of `corpus`, the most frequent first. Id 1 stands for every other character.
 * `size` limits the number of ids; by default every character of the corpus has one.
 *
 * @throws RangeError when `size` is below 3 or the corpus is empty, and, when decoding, for an id outside the vocabulary
 */
export function characterTokenizer(corpus: Iterable<string>, { size }: { size?: number } = {}): Tokenizer {
  if (size !== undefined && !(Number.isInteger(size) && size >= 3)) {
    throw new RangeError(`size must be an integer of at least 3 (padding, unknown, one character), got ${size}`);
  }
  const counts = new Map<string, number>();
  for (const text of corpus) for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  if (counts.size === 0) throw new RangeError("expected a corpus with at least one character, got no text");
  const characters = [...counts]
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || a.codePointAt(0)! - b.codePointAt(0)!)
    .map(([character]) => character)
    .slice(0, size === undefined ? undefined : size - 2);
  const known = ["", UNKNOWN, ...characters];
  const ids = new Map(characters.map((character, i) => [character, i + 2]));
  return {
    name: "characters",
    size: known.length,
    paddingId: 0,
    encode: (text, { maxLength } = {}) =>
      Int32Array.from(text, (character) => ids.get(character) ?? 1).subarray(0, checkedLength(maxLength)),
    decode: (list) =>
      checked(list, known.length)
        .map((id) => known[id])
        .join(""),
  };
}

function checkedLength(maxLength: number | undefined): number | undefined {
  if (maxLength === undefined || (Number.isInteger(maxLength) && maxLength >= 0)) return maxLength;
  throw new RangeError(`maxLength must be an integer of at least 0, got ${inspect(maxLength)}`);
}

/** @throws RangeError with the position of the first id outside the vocabulary */
export function checked(ids: ArrayLike<number>, size: number): number[] {
  return Array.from(ids, (id, i) => {
    if (!(Number.isInteger(id) && id >= 0 && id < size))
      throw new RangeError(`id ${id} at position ${i} is outside the vocabulary (size ${size})`);
    return id;
  });
}
