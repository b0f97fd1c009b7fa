/** One training example: token ids and what the model should answer. */
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
  /** Throws on a token that the vocabulary lacks. */
  encode(tokens: readonly string[]): Int32Array;
  decode(ids: ArrayLike<number>): string[];
}

/** A vocabulary whose id 0 is `<pad>` and whose other ids follow the order of `tokens`. */
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
        if (id === undefined) throw new RangeError(`token ${i} is ${JSON.stringify(word)}, which the vocabulary lacks`);
        return id;
      }),
    decode: (list) =>
      Array.from(list, (id, i) => {
        const token = all[id];
        if (token === undefined) throw new RangeError(`id ${id} at ${i} is outside the vocabulary of ${all.length}`);
        return token;
      }),
  };
}

/** The share of the most frequent label: what a model that always answers the same would reach. */
export function majorityShare(examples: readonly Pick<Example, "label">[]): number {
  if (examples.length === 0) throw new RangeError("majorityShare needs at least one example");
  const counts = new Map<number, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / examples.length;
}
