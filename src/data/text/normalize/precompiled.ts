import { type AlignedText, transform } from "../aligned-text.ts";
import { graphemes } from "./graphemes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * SentencePiece's table of replacements (`precompiled_charsmap`, base64): a Darts double-array trie over UTF-8, then the
 * replacements, each ended by a zero byte.
 *
 * @throws TypeError when the table is shorter than it says
 */
export function precompiled(base64: string): (aligned: AlignedText) => AlignedText {
  const bytes = Buffer.from(base64, "base64");
  const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : Number.POSITIVE_INFINITY;
  if (4 + size > bytes.length) throw new TypeError("a tokenizer.json with a Precompiled normalizer that is cut off");
  const trie = new Uint32Array(size / 4);
  for (let i = 0; i < trie.length; i++) trie[i] = bytes.readUInt32LE(4 + 4 * i);
  const texts = bytes.subarray(4 + size);
  const found = new Map<string, string | undefined>();
  const replacement = (text: string): string | undefined => {
    if (found.has(text)) return found.get(text);
    const at = firstPrefix(trie, encoder.encode(text));
    const value = at === undefined ? undefined : decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
    if (text.length <= 4) found.set(text, value);
    return value;
  };
  return (aligned) => replaceGraphemes(aligned, replacement);
}

/** As SentencePiece does: a grapheme of less than six bytes is looked up whole, then each character on its own. */
function replaceGraphemes(aligned: AlignedText, replacement: (text: string) => string | undefined): AlignedText {
  const characters: string[] = [];
  const changes: number[] = [];
  let isChanged = false;
  const replace = (old: string, made: string) => {
    isChanged = true;
    const news = [...made];
    const difference = news.length - [...old].length;
    for (const character of news) {
      characters.push(character);
      changes.push(0);
    }
    if (difference > 0) changes.fill(1, changes.length - difference);
    else if (difference < 0 && changes.length > 0) changes[changes.length - 1]! += difference;
  };
  for (const segment of graphemes(aligned.text)) {
    const whole = Buffer.byteLength(segment) < 6 ? replacement(segment) : undefined;
    if (whole !== undefined) {
      replace(segment, whole);
      continue;
    }
    for (const character of segment) {
      const single = replacement(character);
      if (single !== undefined) replace(character, single);
      else {
        characters.push(character);
        changes.push(0);
      }
    }
  }
  return isChanged ? transform(aligned, characters, changes) : aligned;
}

/** The value of the shortest entry of the trie that the bytes begin with. */
function firstPrefix(trie: Uint32Array, bytes: Uint8Array): number | undefined {
  let at = 0;
  let unit = trie[0]!;
  at ^= offsetOf(unit);
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    at ^= byte;
    unit = trie[at] ?? 0;
    if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
    at ^= offsetOf(unit);
    if ((unit >>> 8) & 1) return trie[at]! & 0x7fffffff;
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
