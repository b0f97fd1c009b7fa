/** The tokens of a word: their ids, and the units of the word that each stands for. */
export interface Word {
  ids: number[];
  starts: number[];
  ends: number[];
}

/** Encodes a word, that is a piece of a pre-tokenized text. */
export interface Model {
  name: string;
  vocabulary: ReadonlyMap<string, number>;
  encode(word: string): Word;
}
