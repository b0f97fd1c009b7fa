import { inspect } from "node:util";
import type { Tokens } from "./encoding.ts";
import { refuse } from "./part.ts";

/** Which text of a pair is shortened: the longer one token by token, the first, or the second. */
export type TruncationStrategy = "longestFirst" | "onlyFirst" | "onlySecond";

/** How texts are shortened. */
export interface Truncation {
  /** Most tokens, special tokens included. */
  maxLength: number;
  strategy: TruncationStrategy;
  /** Which end is cut off. */
  side: "right" | "left";
}

const STRATEGIES: Record<string, TruncationStrategy> = {
  longest_first: "longestFirst",
  only_first: "onlyFirst",
  only_second: "onlySecond",
};

/** @throws TypeError unless it is a strategy */
export function checkStrategy(strategy: TruncationStrategy): void {
  const known = Object.values(STRATEGIES);
  if (!known.includes(strategy))
    throw new TypeError(`truncation must be one of ${known.join(", ")}, got ${inspect(strategy)}`);
}

/** The truncation that a tokenizer.json asks for. */
export function truncationOf(part: unknown): Truncation | undefined {
  if (part === null || part === undefined) return undefined;
  const { max_length: maxLength, strategy, direction } = part as Record<string, unknown>;
  const name = String(strategy ?? "longest_first")
    .replace(/\B[A-Z]/g, "_$&")
    .toLowerCase();
  return {
    maxLength: Number(maxLength),
    strategy: STRATEGIES[name] ?? refuse(`the truncation ${JSON.stringify(strategy)}`),
    side: String(direction).toLowerCase() === "left" ? "left" : "right",
  };
}

/**
 * Shortens the texts to `maxLength` tokens less `added` special ones, as Python's library does.
 *
 * @throws RangeError when there is no room for the special tokens, or the strategy's text is too short
 */
export function truncate(texts: Tokens[], { maxLength, strategy, side }: Truncation, added: number): Tokens[] {
  const room = maxLength - added;
  if (!Number.isInteger(maxLength) || room < 0) {
    throw new RangeError(
      `maxLength must be an integer of at least ${added}, the number of special tokens of this tokenizer, got ${inspect(maxLength)}`,
    );
  }
  const lengths = texts.map(({ ids }) => ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total <= room) return texts;
  const kept = room === 0 ? texts.map(() => 0) : keptLengths(lengths, room, strategy);
  return texts.map((tokens, i) => shortened(tokens, kept[i]!, side));
}

/**
 * All windows of the text that `truncate` would shorten: each begins `stride` tokens before the end of the one before it, as the
 * overflowing encodings of Python's library.
 *
 * @throws RangeError when the stride leaves no new token, or both texts of a pair would be cut
 */
export function windows(texts: Tokens[], truncation: Truncation, added: number, stride: number): Tokens[][] {
  const first = truncate(texts, truncation, added);
  const cut = texts.map(({ ids }, i) => first[i]!.ids.length < ids.length);
  if (!cut.includes(true)) return [texts];
  if (texts.length > 1 && truncation.strategy === "longestFirst") {
    throw new RangeError('windows of a pair need the truncation "onlyFirst" or "onlySecond", got longestFirst');
  }
  const target = cut.indexOf(true);
  const tokens = texts[target]!;
  const width = first[target]!.ids.length;
  if (width === 0)
    throw new RangeError(
      `windows need a maxLength above ${truncation.maxLength}, of which the special tokens and the other text leave none to the text that is cut`,
    );
  if (!Number.isInteger(stride) || stride < 0 || stride >= width) {
    throw new RangeError(`stride must be from 0 to ${width - 1}, below the ${width} tokens of a window, got ${stride}`);
  }
  const made: Tokens[][] = [];
  for (let at = 0; ; at += width - stride) {
    const end = Math.min(at + width, tokens.ids.length);
    const from = Math.min(at, end);
    const range: [number, number] =
      truncation.side === "right" ? [from, end] : [tokens.ids.length - end, tokens.ids.length - from];
    made.push(texts.map((each, i) => (i === target ? part(each, ...range) : part(each, 0, each.ids.length))));
    if (end === tokens.ids.length) return made;
  }
}

function keptLengths(lengths: readonly number[], room: number, strategy: TruncationStrategy): number[] {
  if (strategy !== "longestFirst") {
    const target = strategy === "onlyFirst" ? 0 : 1;
    const length = lengths[target];
    if (length === undefined)
      throw new RangeError("the truncation onlySecond shortens the second text, and there is no pair");
    const kept = length - (lengths.reduce((sum, each) => sum + each, 0) - room);
    if (kept <= 0) {
      throw new RangeError(
        `the truncation ${strategy} shortens a text of ${length} tokens, and all texts together are ${length - kept} tokens too long: raise maxLength, or use longestFirst`,
      );
    }
    return lengths.map((each, i) => (i === target ? kept : each));
  }
  if (lengths.length === 1) return [room];
  const short = Math.min(...lengths);
  let [less, more] = [short, short > room ? short : Math.max(short, room - short)];
  if (less + more > room) {
    less = Math.floor(room / 2);
    more = less + (room % 2);
  }
  return lengths[0]! > lengths[1]! ? [more, less] : [less, more];
}

function shortened(tokens: Tokens, kept: number, side: "right" | "left"): Tokens {
  const { length } = tokens.ids;
  return side === "right" ? part(tokens, 0, kept) : part(tokens, Math.max(0, length - kept), length);
}

function part({ ids, starts, ends, texts }: Tokens, from: number, to: number): Tokens {
  const cut = <T>(list: T[]) => list.slice(from, to);
  return { ids: cut(ids), starts: cut(starts), ends: cut(ends), texts: cut(texts) };
}
