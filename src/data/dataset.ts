/** One training example: token ids and the label. */
export interface Example {
  /** Token ids, at least one. */
  tokens: Int32Array;
  /** A class index, or a real number for regression. */
  label: number;
}

/** Maps tokens to ids and back. Id 0 is the padding. */
export interface Vocabulary {
  size: number;
  tokens: readonly string[];
  paddingId: number;
  /** @throws RangeError for a token that is not in the vocabulary */
  encode(tokens: readonly string[]): Int32Array;
  /** @throws RangeError for an id outside the vocabulary */
  decode(ids: ArrayLike<number>): string[];
}

/**
 * A vocabulary whose id 0 is `<pad>` and whose other ids follow the order of `tokens`.
 *
 * @throws RangeError, when encoding or decoding, for a token or an id that is not in it
 */
export function vocabulary(tokens: readonly string[]): Vocabulary {
  const all = ["<pad>", ...tokens];
  const ids = new Map(all.map((token, id) => [token, id]));
  return {
    size: all.length,
    tokens: all,
    paddingId: 0,
    encode: (words) =>
      Int32Array.from(words, (word, i) => {
        const id = ids.get(word);
        if (id === undefined) throw new RangeError(`token ${i} (${JSON.stringify(word)}) is not in the vocabulary`);
        return id;
      }),
    decode: (list) =>
      Array.from(list, (id, i) => {
        const token = all[id];
        if (token === undefined)
          throw new RangeError(`id ${id} at position ${i} is outside the vocabulary (size ${all.length})`);
        return token;
      }),
  };
}

/**
 * The share of the most frequent label: the accuracy of a model that always gives the same answer.
 *
 * @throws RangeError when there are no examples
 */
export function majorityShare(examples: readonly Pick<Example, "label">[]): number {
  if (examples.length === 0) throw new RangeError("majorityShare: expected at least one example, got none");
  const counts = new Map<number, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / examples.length;
}
