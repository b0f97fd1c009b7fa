/**
 * A stream of random bits whose state can be saved and restored. Every seeded draw of the library comes from one: data,
 * initial weights, random tensors and the order of batches.
 */
export interface Generator {
  /** 32 random bits as a signed integer. */
  next(): number;
  /** The state, for `setState` or `generator(state)`. */
  getState(): readonly number[];
  /** Continues from a saved state. Throws RangeError for a value that is not a generator's state. */
  setState(state: readonly number[]): void;
}
