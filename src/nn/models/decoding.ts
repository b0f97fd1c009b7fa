import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { attentionBias } from "../batch-tensors.ts";
import { type AttentionMask, maskOfVisible } from "../ops/attention-mask.ts";
import { KeyValueCache } from "../ops/key-value-cache.ts";

/** A model in the middle of generating: what follows the tokens so far. */
export interface Decoding {
  /**
   * The logits of the next token of each sequence, `[sequences, vocabulary]`, which the caller disposes. Each call but the first
   * gives the tokens that were chosen after the last one.
   */
  next(tokens?: ArrayLike<number>): Tensor2D;
  /** Continues with these sequences, in this order; one may occur more than once. The others are no longer computed. */
  select(sequences: readonly number[]): void;
  /** Frees the keys and values that it keeps. */
  dispose(): void;
}

/** A model that generates tokens, such as `transformerLanguageModel` and `transformerSeq2Seq`. */
export interface GenerativeModel<P extends object = object> {
  readonly parameters: P;
  /** The tokens that end a sequence where a call of `generate` names none: those of a pretrained model's config. */
  readonly stopTokens?: readonly number[];
  /** Starts after the prompts; `maxNewTokens` is checked against the longest sequence of the model. */
  startDecoding(
    parameters: P,
    prompts: readonly ArrayLike<number>[],
    options?: { cache?: boolean; maxNewTokens?: number },
  ): Decoding;
}

/** A rectangle of tokens to run through a decoder. */
export interface DecodingStep {
  rows: number;
  time: number;
  /** `[rows, time]` */
  ids: Int32Array;
  positions: Int32Array;
  mask: AttentionMask | undefined;
  /** One for each layer, when there is a cache. */
  caches: KeyValueCache[] | undefined;
}

interface Decoder {
  prompts: readonly ArrayLike<number>[];
  layers: number;
  cache: boolean;
  /** Logits of the last position of each row, `[rows, vocabulary]`. */
  forward: (step: DecodingStep) => Tensor2D;
  select?: (rows: readonly number[]) => void;
  dispose?: () => void;
}

/**
 * Generation of several sequences at once. Prompts of different lengths are padded on the left, so that all of them end at the
 * same place. With a cache each step computes one position; without, all of them.
 */
export function decoding({ prompts, layers, cache, forward, select, dispose }: Decoder): Decoding {
  const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
  let padding = prompts.map(({ length }) => longest - length);
  let sequences = prompts.map((prompt) => Array.from(prompt));
  const caches = cache ? Array.from({ length: layers }, () => new KeyValueCache()) : undefined;

  const whole = (time: number): DecodingStep => {
    const rows = sequences.length;
    const [ids, positions] = [new Int32Array(rows * time), new Int32Array(rows * time)];
    const mask = new Uint8Array(rows * time);
    sequences.forEach((sequence, row) => {
      const start = row * time + padding[row]!;
      ids.set(sequence, start);
      mask.fill(1, start, (row + 1) * time);
      for (let t = 0; t < sequence.length; t++) positions[start + t] = t;
    });
    const batch = { rows, time, mask, segments: Int32Array.from(mask), segmentsPerRow: 1 };
    return { rows, time, ids, positions, mask: attentionBias(batch, { causal: true }), caches };
  };
  const last = (time: number): DecodingStep => {
    const rows = sequences.length;
    const isPadded = padding.some((count) => count > 0);
    const visible = () => {
      const sees = new Uint8Array(rows * time).fill(1);
      padding.forEach((count, row) => {
        sees.fill(0, row * time, row * time + count);
      });
      return maskOfVisible(tf.tensor4d(sees, [rows, 1, 1, time], "bool"));
    };
    return {
      ...{ rows, time: 1, caches, mask: isPadded ? visible() : undefined },
      ids: Int32Array.from(sequences, (sequence) => sequence.at(-1)!),
      positions: Int32Array.from(sequences, ({ length }) => length - 1),
    };
  };
  return {
    next(tokens) {
      if (tokens) for (const [row, sequence] of sequences.entries()) sequence.push(tokens[row]!);
      const time = sequences[0]!.length + padding[0]!;
      return tf.tidy(() => forward(tokens && caches ? last(time) : whole(time)));
    },
    select(rows) {
      padding = rows.map((row) => padding[row]!);
      sequences = rows.map((row) => [...sequences[row]!]);
      for (const each of caches ?? []) each.select(rows);
      select?.(rows);
    },
    dispose() {
      for (const each of caches ?? []) each.dispose();
      dispose?.();
    },
  };
}

/**
 * Throws unless every prompt has tokens of the vocabulary, and there is room for what is generated.
 */
export function checkPrompts(
  prompts: readonly ArrayLike<number>[],
  { vocabularySize, maxLength, maxNewTokens = 0 }: { vocabularySize: number; maxLength: number; maxNewTokens?: number },
): void {
  if (prompts.length === 0) throw new RangeError("generate: expected at least one prompt, got none");
  for (const [i, prompt] of prompts.entries()) {
    if (!(prompt.length > 0)) throw new RangeError(`generate: prompt ${i} is empty: give it at least one token`);
    if (prompt.length + maxNewTokens > maxLength)
      throw new RangeError(
        `generate: prompt ${i} has ${prompt.length} tokens, and ${maxNewTokens} new ones exceed the model's maxLength of ${maxLength}`,
      );
    for (let t = 0; t < prompt.length; t++) {
      const id = prompt[t]!;
      if (!Number.isInteger(id) || id < 0 || id >= vocabularySize)
        throw new RangeError(
          `generate: prompt ${i} has id ${id} at token ${t}, outside the vocabulary (size ${vocabularySize})`,
        );
    }
  }
}
