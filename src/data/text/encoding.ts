/** The tokens of one text, before special tokens are added. */
export interface Tokens {
  ids: number[];
  /** Where each token begins and ends in the text, in UTF-16 units, and how it is written; empty where nobody asks. */
  starts: number[];
  ends: number[];
  texts: string[];
}

/** A text, or a pair of texts, as a model takes it. */
export interface Encoding {
  ids: Int32Array;
  /** Which of a pair a token belongs to, as the model was trained: 0 or 1. */
  typeIds: Int32Array;
  /** 1 for a token that the tokenizer added, such as [CLS]. */
  specialTokens: Uint8Array;
  /** Which text a token comes from: 0, 1, or -1 for a token that the tokenizer added. */
  sequences: Int8Array;
  /**
   * The part of its text that a token stands for: its begin at `2 * i` and its end at `2 * i + 1`, as indices of the string, so that
   * `text.slice(begin, end)` is what the token was. 0 and 0 for a token that the tokenizer added, and where no offsets are asked for.
   */
  offsets: Int32Array;
}

/** A piece of an encoding: special tokens, or one of the texts. */
export type Piece = { typeId: number } & ({ ids: readonly number[] } | { sequence: 0 | 1 });

/** Joins the pieces of a template. */
export function assemble(pieces: readonly Piece[], texts: readonly Tokens[]): Encoding {
  const lengthOf = (piece: Piece) => ("ids" in piece ? piece.ids : texts[piece.sequence]!.ids).length;
  const length = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  const made: Encoding = {
    ids: new Int32Array(length),
    typeIds: new Int32Array(length),
    specialTokens: new Uint8Array(length),
    sequences: new Int8Array(length),
    offsets: new Int32Array(2 * length),
  };
  let at = 0;
  for (const piece of pieces) {
    const end = at + lengthOf(piece);
    made.typeIds.fill(piece.typeId, at, end);
    if ("ids" in piece) {
      made.ids.set(piece.ids, at);
      made.specialTokens.fill(1, at, end);
      made.sequences.fill(-1, at, end);
    } else {
      const { ids, starts, ends } = texts[piece.sequence]!;
      made.ids.set(ids, at);
      made.sequences.fill(piece.sequence, at, end);
      for (let i = 0; i < starts.length; i++) {
        made.offsets[2 * (at + i)] = starts[i]!;
        made.offsets[2 * (at + i) + 1] = ends[i]!;
      }
    }
    at = end;
  }
  return made;
}
