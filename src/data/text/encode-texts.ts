import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import { checkPositiveInteger } from "../../base/checks.ts";
import { encodeOne, isOfFile, isTextOrPair, type TextOrPair, type TextTokens } from "./encode-one.ts";
import { encodeInThreads } from "./encode-pool.ts";
import type { TextOptions } from "./text-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** An example of `encodeTexts`: of pairs with the type ids, with labels where there are some. */
export type EncodedText<T extends TextOrPair = string, L extends readonly number[] | undefined = undefined> = {
  tokens: Int32Array;
} & ([T] extends [string] ? unknown : { typeIds: Int32Array }) &
  (L extends readonly number[] ? { label: number } : unknown);

/** Options of `encodeTexts`. */
export interface EncodeTextsOptions<L extends readonly number[] | undefined = undefined>
  extends Pick<TextOptions, "maxLength" | "truncation" | "addSpecialTokens"> {
  tokenizer: Tokenizer;
  /** A label for each text: a class index, or a real number. */
  labels?: L;
  /** Worker threads. By default as many as there are processors for texts of more than four million characters, else 1: this one. */
  threads?: number;
  /** Hears how many of the texts are encoded. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Texts that a thread encodes at a time. */
const CHUNK = 1000;

/** Characters from which threads save more time than they take to start: each builds the tokenizer anew. */
const WORTH_THREADS = 4_000_000;

/**
 * Texts, or pairs of texts, as examples for batches: `dynamicLengthBatches(await encodeTexts(texts, { tokenizer, labels }), ...)`.
 *
 * @throws RangeError when there is not a label for each text, or a text cannot be shortened to `maxLength`
 * @throws TypeError for a text that is no string or pair of strings, and when pairs are given to a tokenizer that is not of a
 *   `tokenizer.json`
 */
export async function encodeTexts<T extends TextOrPair, const L extends readonly number[] | undefined = undefined>(
  texts: readonly T[],
  options: EncodeTextsOptions<L>,
): Promise<EncodedText<T, L>[]> {
  const { tokenizer, labels, maxLength, truncation, addSpecialTokens, signal } = options;
  if (!Array.isArray(texts))
    throw new TypeError(`encodeTexts: expected an array of texts or pairs, got ${inspect(texts)}`);
  const wrong = texts.findIndex((text) => !isTextOrPair(text));
  if (wrong >= 0)
    throw new TypeError(
      `encodeTexts: text ${wrong} must be a string or a pair of strings, got ${inspect(texts[wrong])}`,
    );
  if (typeof tokenizer?.encode !== "function")
    throw new TypeError(
      `encodeTexts: tokenizer must be a tokenizer, such as await tokenizer(folder), got ${inspect(tokenizer)}`,
    );
  if (labels && labels.length !== texts.length) {
    throw new RangeError(`expected a label for each of the ${texts.length} texts, got ${labels.length} labels`);
  }
  const label = labels?.findIndex((each) => !Number.isFinite(each)) ?? -1;
  if (label >= 0)
    throw new TypeError(
      `encodeTexts: label ${label} must be a number, such as the index of a class, got ${inspect(labels![label])}`,
    );
  const textOptions: TextOptions = {
    ...(maxLength !== undefined && { maxLength }),
    ...(truncation !== undefined && { truncation }),
    ...(addSpecialTokens !== undefined && { addSpecialTokens }),
  };
  const threads = isOfFile(tokenizer) ? threadCount(texts, options.threads) : 1;
  const chunks: T[][] = [];
  for (let from = 0; from < texts.length; from += CHUNK) chunks.push(texts.slice(from, from + CHUNK));
  let done = 0;
  const encoded = (count: number) => {
    done += count;
    options.onProgress?.(done, texts.length);
  };
  const parts =
    threads > 1 && isOfFile(tokenizer)
      ? await encodeInThreads(tokenizer, chunks, textOptions, { threads, encoded, signal })
      : await encodeHere(tokenizer, chunks, textOptions, encoded, signal);
  const examples = parts.flat();
  return examples.map((example, i) => (labels ? { ...example, label: labels[i]! } : example)) as EncodedText<T, L>[];
}

async function encodeHere(
  tokenizer: Tokenizer,
  chunks: readonly TextOrPair[][],
  options: TextOptions,
  encoded: (count: number) => void,
  signal: AbortSignal | undefined,
): Promise<TextTokens[][]> {
  const parts: TextTokens[][] = [];
  for (const chunk of chunks) {
    signal?.throwIfAborted();
    parts.push(chunk.map((text) => encodeOne(tokenizer, text, options)));
    encoded(chunk.length);
    // Lets timers, interrupts and the progress display run.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return parts;
}

function threadCount(texts: readonly TextOrPair[], threads: number | undefined): number {
  if (threads !== undefined) checkPositiveInteger("threads", threads);
  const characters = () =>
    texts.reduce((sum, text) => sum + (typeof text === "string" ? text.length : text[0].length + text[1].length), 0);
  return Math.min(
    threads ?? (characters() < WORTH_THREADS ? 1 : availableParallelism()),
    Math.ceil(texts.length / CHUNK),
  );
}
