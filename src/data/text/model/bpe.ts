import { unitsAt } from "../aligned-text.ts";
import { byteSymbols } from "../merges.ts";
import { type Part, refuse } from "../part.ts";
import { byteIds, unknownId, vocabularyOf } from "./vocabulary.ts";
import type { Model, Word } from "./word.ts";

/**
 * Byte-pair encoding: a word starts as its characters, then the pair of neighbours that was learned first is joined, the left one
 * of several, until no pair is left.
 *
 * Sennrich, Haddow & Birch 2016 (arXiv 1508.07909).
 */
export function bpe(part: Part, isByteLevel: boolean): Model {
  const vocabulary = vocabularyOf(part);
  const unknown = unknownId(part, vocabulary);
  const prefix = typeof part.continuing_subword_prefix === "string" ? part.continuing_subword_prefix : "";
  const suffix = typeof part.end_of_word_suffix === "string" ? part.end_of_word_suffix : "";
  const bytes = part.byte_fallback === true ? byteIds(vocabulary) : undefined;
  checkBpe(part, vocabulary, unknown, bytes, isByteLevel);
  const merges = mergesOf(part, vocabulary, prefix);
  const encoder = new TextEncoder();

  function symbolsOf(text: string): Word {
    const word: Word = { ids: [], starts: [], ends: [] };
    let wasUnknown = false;
    const add = (id: number, from: number, to: number) => {
      word.ids.push(id);
      word.starts.push(from);
      word.ends.push(to);
    };
    for (let from = 0; from < text.length; ) {
      const to = from + unitsAt(text, from);
      const symbol = (from > 0 ? prefix : "") + text.slice(from, to) + (to === text.length ? suffix : "");
      const id = vocabulary.get(symbol);
      if (id !== undefined) add(id, from, to);
      else if (bytes) for (const byte of encoder.encode(symbol)) add(bytes[byte]!, from, to);
      else if (wasUnknown && part.fuse_unk === true) word.ends[word.ends.length - 1] = to;
      else if (unknown !== undefined) add(unknown, from, to);
      wasUnknown = id === undefined && !bytes;
      from = to;
    }
    return word;
  }

  return {
    name: "BPE",
    vocabulary,
    encode(text) {
      if (part.ignore_merges === true) {
        const id = vocabulary.get(text);
        if (id !== undefined) return { ids: [id], starts: [0], ends: [text.length] };
      }
      return merged(symbolsOf(text), merges);
    },
  };
}

function checkBpe(
  part: Part,
  vocabulary: ReadonlyMap<string, number>,
  unknown: number | undefined,
  bytes: readonly number[] | undefined,
  isByteLevel: boolean,
): void {
  if (part.dropout) refuse(`a dropout of ${part.dropout}`, "its ids are drawn at random; set it to null");
  if (unknown !== undefined || bytes) return;
  if (!isByteLevel) refuse("no unk_token", "a character without a token would be lost");
  const missing = byteSymbols.filter((symbol) => !vocabulary.has(symbol));
  if (missing.length > 0) {
    refuse(`no token for ${missing.length} of the 256 bytes and no unk_token`, "these bytes would be lost");
  }
}

/** The rank of each pair and the id that it becomes, under one number for both ids. */
interface Merges {
  size: number;
  rank: ReadonlyMap<number, number>;
  made: readonly number[];
}

function mergesOf({ merges }: Part, vocabulary: ReadonlyMap<string, number>, prefix: string): Merges {
  let size = 1;
  for (const id of vocabulary.values()) size = Math.max(size, id + 1);
  const rank = new Map<number, number>();
  const made: number[] = [];
  const given = merges ?? [];
  if (!Array.isArray(given)) refuse("invalid merges", `expected an array, got ${JSON.stringify(given)}`);
  for (const merge of given as unknown[]) {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === "string");
    if (!isPair) refuse(`an invalid merge ${JSON.stringify(merge)}`, "expected two tokens");
    const [left, right] = pair as [string, string];
    const joined = vocabulary.get(left + right.slice(prefix.length));
    const ids = [vocabulary.get(left), vocabulary.get(right)];
    if (joined === undefined || ids[0] === undefined || ids[1] === undefined) {
      refuse(`the merge ${left} ${right}`, "the vocabulary has not all of its tokens");
    }
    // Of a pair that is listed twice, the later rank counts in Python's library.
    rank.set(ids[0] * size + ids[1], made.length);
    made.push(joined);
  }
  return { size, rank, made };
}

/** Joins neighbours by rank. The queue holds `rank * PLACES + position`, the smallest first. */
function merged(word: Word, { size, rank, made }: Merges): Word {
  const { ids, starts, ends } = word;
  const count = ids.length;
  if (count < 2) return word;
  const next = Int32Array.from(ids, (_, i) => (i + 1 < count ? i + 1 : -1));
  const previous = Int32Array.from(ids, (_, i) => i - 1);
  const queue: number[] = [];
  const offer = (left: number) => {
    const right = next[left]!;
    if (right < 0) return;
    const found = rank.get(ids[left]! * size + ids[right]!);
    if (found !== undefined) push(queue, found * PLACES + left);
  };
  for (let i = 0; i < count - 1; i++) offer(i);
  const isGone = new Uint8Array(count);
  while (queue.length > 0) {
    const least = pop(queue);
    const left = least % PLACES;
    const order = (least - left) / PLACES;
    const right = next[left]!;
    if (isGone[left] || right < 0) continue;
    // The pair may have changed since it was queued. Python's library joins it then if it becomes the same token.
    const found = rank.get(ids[left]! * size + ids[right]!);
    if (found === undefined || made[found] !== made[order]) continue;
    ids[left] = made[order]!;
    ends[left] = ends[right]!;
    isGone[right] = 1;
    next[left] = next[right]!;
    if (next[right]! >= 0) previous[next[right]!] = left;
    if (previous[left]! >= 0) offer(previous[left]!);
    offer(left);
  }
  const kept = (list: number[]) => list.filter((_, i) => !isGone[i]);
  return { ids: kept(ids), starts: kept(starts), ends: kept(ends) };
}

const PLACES = 2 ** 28;

/** Adds a number to a binary heap. */
function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Takes the smallest number from a binary heap. */
function pop(heap: number[]): number {
  const least = heap[0]!;
  const value = heap.pop()!;
  const length = heap.length;
  if (length === 0) return least;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
  return least;
}
