import { checkPositiveInteger } from "../base/checks.ts";
import { type PerName, sequenceText } from "./lengths.ts";

/** The label of an example: a class index, a real number, or a vector of real numbers. */
export type Label = number | ArrayLike<number>;

/**
 * A sequence of token ids, with or without a label of the whole, a label of each token, and the number of the text that each
 * token is of (`typeIds`), or of real numbers, `features: [length, width]` row by row. A token label of -100 is ignored by losses.
 */
export type Sequence =
  | ArrayLike<number>
  | {
      tokens: ArrayLike<number>;
      label?: Label | undefined;
      tokenLabels?: ArrayLike<number> | undefined;
      typeIds?: ArrayLike<number> | undefined;
    }
  | {
      features: ArrayLike<number>;
      length: number;
      label?: Label | undefined;
      tokenLabels?: ArrayLike<number> | undefined;
    };

/** Whether a value is a sequence, without reading its tokens. */
export function isSequence(value: unknown): value is Sequence {
  if (typeof value !== "object" || value === null) return false;
  return "tokens" in value || "features" in value || ("length" in value && typeof value.length === "number");
}

/** The token ids of a sequence; zeros for a sequence of real numbers. */
export function tokensOf(sequence: Sequence): ArrayLike<number> {
  if ("features" in sequence) return new Int32Array(sequence.length);
  return "tokens" in sequence ? sequence.tokens : sequence;
}

/** The number of tokens or steps of a sequence. */
export function lengthOf(sequence: Sequence): number {
  return "tokens" in sequence ? sequence.tokens.length : sequence.length;
}

/** What is checked of sequences. */
export interface SequenceChecks<N extends string = never> {
  /** Ids must be below this size. Not checked by default. */
  vocabularySize?: PerName<number, N>;
}

/**
 * The length of each sequence, in tokens.
 *
 * @throws RangeError with the index of the first one that is empty or has an invalid id
 */
export function checkedLengths(
  sequences: readonly Sequence[],
  vocabularySize: number | undefined,
  name: string | undefined,
): Int32Array {
  if (vocabularySize !== undefined) checkPositiveInteger("vocabularySize", vocabularySize);
  return Int32Array.from(sequences, (sequence, i) => {
    const tokens = tokensOf(sequence);
    if (!(tokens?.length > 0)) {
      throw new RangeError(`${sequenceText(i, name)} is empty: drop it, or give it at least one token`);
    }
    checkTokens(tokens, sequenceText(i, name), vocabularySize);
    return tokens.length;
  });
}

function checkTokens(tokens: ArrayLike<number>, sequence: string, size = Number.POSITIVE_INFINITY): void {
  const whole = tokens instanceof Int32Array || tokens instanceof Uint8Array || tokens instanceof Uint16Array;
  if (whole && size === Number.POSITIVE_INFINITY) return;
  for (let t = 0; t < tokens.length; t++) {
    const id = tokens[t]!;
    if (!whole && !Number.isInteger(id)) {
      throw new RangeError(`${sequence} has ${id} at token ${t}: token ids must be integers`);
    }
    if (size !== Number.POSITIVE_INFINITY && !(id >= 0 && id < size)) {
      throw new RangeError(`${sequence} has id ${id} at token ${t}, outside the vocabulary (size ${size})`);
    }
  }
}
