import { checkPositiveInteger } from "../base/checks.ts";

/** A sequence of token ids, with or without a label, or of real numbers, `features: [length, width]` row by row. */
export type Sequence =
  | ArrayLike<number>
  | { tokens: ArrayLike<number>; label?: number }
  | { features: ArrayLike<number>; length: number; label?: number };

/** The token ids of a sequence; zeros for a sequence of real numbers. */
export function tokensOf(sequence: Sequence): ArrayLike<number> {
  if ("features" in sequence) return new Int32Array(sequence.length);
  return "tokens" in sequence ? sequence.tokens : sequence;
}

/** What is checked of sequences. */
export interface SequenceChecks {
  /** Ids must be below this size. Not checked by default. */
  vocabularySize?: number;
}

/**
 * The length of each sequence, in tokens.
 *
 * @throws RangeError when there are no sequences, or with the index of the first one that is empty or has an invalid id
 */
export function lengthsOf(sequences: readonly Sequence[], { vocabularySize }: SequenceChecks = {}): Int32Array {
  if (sequences.length === 0) throw new RangeError("expected at least one sequence, got none");
  if (vocabularySize !== undefined) checkPositiveInteger("vocabularySize", vocabularySize);
  return Int32Array.from(sequences, (sequence, i) => {
    const tokens = tokensOf(sequence);
    if (!(tokens?.length > 0)) throw new RangeError(`sequence ${i} is empty: drop it, or give it at least one token`);
    checkTokens(tokens, i, vocabularySize);
    return tokens.length;
  });
}

function checkTokens(tokens: ArrayLike<number>, sequence: number, size = Number.POSITIVE_INFINITY): void {
  const whole = tokens instanceof Int32Array || tokens instanceof Uint8Array || tokens instanceof Uint16Array;
  if (whole && size === Number.POSITIVE_INFINITY) return;
  for (let t = 0; t < tokens.length; t++) {
    const id = tokens[t]!;
    if (!whole && !Number.isInteger(id)) {
      throw new RangeError(`sequence ${sequence} has ${id} at token ${t}: token ids must be integers`);
    }
    if (size !== Number.POSITIVE_INFINITY && !(id >= 0 && id < size)) {
      throw new RangeError(`sequence ${sequence} has id ${id} at token ${t}, outside the vocabulary (size ${size})`);
    }
  }
}

/**
 * The label of each sequence; undefined when there are none.
 *
 * @throws RangeError when only some sequences have a label, or one is not a finite number
 */
export function labelsOf(sequences: readonly Sequence[]): Float32Array | undefined {
  const label = (i: number) => {
    const sequence = sequences[i]!;
    return "label" in sequence ? sequence.label : undefined;
  };
  const labelled = label(0) !== undefined;
  for (let i = 0; i < sequences.length; i++) {
    const own = label(i);
    if ((own !== undefined) !== labelled) {
      throw new RangeError(
        `sequence ${i} has ${labelled ? "no label" : "a label"}, but sequence 0 has ${labelled ? "one" : "none"}`,
      );
    }
    if (own !== undefined && !Number.isFinite(own)) {
      throw new RangeError(`sequence ${i} has the label ${own}: labels must be finite numbers`);
    }
  }
  return labelled ? Float32Array.from(sequences, (_, i) => label(i)!) : undefined;
}

/** @throws RangeError with the index of the first length that is not a positive integer */
export function checkLengths(lengths: ArrayLike<number>): void {
  if (lengths.length === 0) throw new RangeError("expected the length of at least one sequence, got none");
  for (let i = 0; i < lengths.length; i++) {
    if (!Number.isInteger(lengths[i]) || lengths[i]! < 1) {
      throw new RangeError(`sequence ${i} has length ${lengths[i]}: a length must be a positive integer`);
    }
  }
}

/** The index of the largest value. */
export function longestOf(lengths: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < lengths.length; i++) if (lengths[i]! > lengths[at]!) at = i;
  return at;
}
