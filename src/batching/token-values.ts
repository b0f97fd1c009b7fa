// What sequences have of each token beside its id: a label, and the number of the text that it is of.
import { sequenceText } from "./lengths.ts";
import { lengthOf, type Sequence } from "./sequences.ts";

/** The properties that have an integer for each token, and how a message calls one and several of them. */
const kinds = {
  tokenLabels: ["label", "token labels"],
  typeIds: ["type id", "type ids"],
} as const;

/** What is known of each token. */
export type TokenValues = keyof typeof kinds;

/**
 * The function that gives the values of a sequence by its index; undefined when the sequences have none.
 *
 * @throws RangeError when only some have, their number is not that of the tokens, or one is not an integer
 */
export function tokenValues(
  kind: TokenValues,
  sequences: readonly Sequence[],
  name?: string,
): ((index: number) => ArrayLike<number>) | undefined {
  const [one, several] = kinds[kind];
  const areThere = valuesOf(kind, sequences[0]!) !== undefined;
  sequences.forEach((sequence, i) => {
    const values = valuesOf(kind, sequence);
    if ((values !== undefined) !== areThere) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${areThere ? `no ${several}` : several}, but ${sequenceText(0, name)} has ${areThere ? "some" : "none"}`,
      );
    }
    if (values === undefined) return;
    const length = lengthOf(sequence);
    if (values.length !== length) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${values.length} ${several} for ${length} tokens: expected one for each token`,
      );
    }
    for (let t = 0; t < length; t++) {
      if (Number.isInteger(values[t])) continue;
      throw new RangeError(
        `${sequenceText(i, name)} has the ${one} ${values[t]} at token ${t}: ${several} must be integers`,
      );
    }
  });
  return areThere ? (i) => valuesOf(kind, sequences[i]!)! : undefined;
}

const valuesOf = (kind: TokenValues, sequence: Sequence): ArrayLike<number> | undefined =>
  kind in sequence ? (sequence as Partial<Record<TokenValues, ArrayLike<number>>>)[kind] : undefined;
