import type { TextOptions, TextTokenizer } from "./text-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A text, or a pair of texts, such as a question and a passage. */
export type TextOrPair = string | readonly [text: string, pair: string];

/** What an example has of its text. */
export interface TextTokens {
  tokens: Int32Array;
  typeIds?: Int32Array;
}

/** The tokens of a text or a pair, with the type ids of a pair. */
export function encodeOne(tokenizer: Tokenizer, text: TextOrPair, options: TextOptions): TextTokens {
  if (typeof text === "string") return { tokens: tokenizer.encode(text, options) };
  if (!isOfFile(tokenizer)) {
    throw new TypeError(`the tokenizer ${tokenizer.name} encodes no pairs: use the tokenizer of a tokenizer.json`);
  }
  const { ids: tokens, typeIds } = tokenizer.encoding(text[0], { ...options, pair: text[1], offsets: false });
  return { tokens, typeIds };
}

/** Whether a value is a text or a pair: a column of a file may also have numbers, or nothing. */
export function isTextOrPair(value: unknown): value is TextOrPair {
  if (typeof value === "string") return true;
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "string");
}

/** Whether a tokenizer is that of a tokenizer.json. */
export function isOfFile(tokenizer: Tokenizer): tokenizer is TextTokenizer {
  return "file" in tokenizer;
}
