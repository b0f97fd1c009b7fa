/** How GPT-2 splits text into words before pairs are counted: no pair crosses a word. */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** A printable character for each byte, as GPT-2 has them: itself where it prints, one from 256 on where not. */
export const byteSymbols: readonly string[] = (() => {
  const prints = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : next++));
})();

interface Word {
  symbols: string[];
  count: number;
}

/**
 * The merges of byte-pair encoding, in order. Of pairs that are as frequent, the one that sorts first by its two symbols is
 * taken, so that the result depends on the corpus alone. Ends early when no pair occurs twice.
 */
export function trainMerges(corpus: Iterable<string>, most: number): [string, string][] {
  const words = countWords(corpus);
  // How often each pair occurs, and in which words; kept up to date merge by merge.
  const counts = new Map<string, number>();
  const places = new Map<string, Set<Word>>();
  const count = (word: Word, sign: 1 | -1) => {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const pair = `${word.symbols[i]} ${word.symbols[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + sign * word.count);
      if (sign < 0) continue;
      const at = places.get(pair);
      if (at) at.add(word);
      else places.set(pair, new Set([word]));
    }
  };
  for (const word of words) count(word, 1);

  const merges: [string, string][] = [];
  while (merges.length < most) {
    let best = "";
    let times = 1;
    for (const [pair, often] of counts) {
      if (often > times || (often === times && times > 1 && pair < best)) {
        best = pair;
        times = often;
      }
    }
    if (times < 2) break;
    const [left, right] = best.split(" ") as [string, string];
    merges.push([left, right]);
    for (const word of places.get(best) ?? []) {
      count(word, -1);
      word.symbols = merged(word.symbols, left, right);
      count(word, 1);
    }
    counts.delete(best);
    places.delete(best);
  }
  return merges;
}

function countWords(corpus: Iterable<string>): Word[] {
  const encoder = new TextEncoder();
  const counts = new Map<string, number>();
  for (const text of corpus) for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  if (counts.size === 0) throw new RangeError("expected a corpus with at least one character, got no text");
  return Array.from(counts, ([word, count]) => ({
    symbols: Array.from(encoder.encode(word), (byte) => byteSymbols[byte]!),
    count,
  }));
}

function merged(symbols: readonly string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(symbols[i]!);
  }
  return out;
}
