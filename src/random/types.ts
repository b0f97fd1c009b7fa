/**
 * A stream of random bits whose state can be saved and taken up again. Every seeded draw of the library comes from one:
 * data, initial weights, random tensors and the order of batches.
 */
export interface Generator {
  /** 32 random bits as an integer of either sign. */
  next(): number;
  getState(): readonly number[];
  /** Goes on from a saved state. */
  setState(state: readonly number[]): void;
}
