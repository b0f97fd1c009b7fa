import { type Part, refuse } from "../part.ts";
import { unknownId, vocabularyOf } from "./vocabulary.ts";
import type { Model, Word } from "./word.ts";

/** WordPiece: the longest token that the rest of the word begins with, again and again; the unknown token where there is none. */
export function wordPiece(part: Part): Model {
  const vocabulary = vocabularyOf(part);
  const prefix = String(part.continuing_subword_prefix ?? "##");
  const most = Number(part.max_input_chars_per_word ?? 100);
  const unknown = unknownId(part, vocabulary) ?? refuse(`no unknown token ${part.unk_token} in the vocabulary`);
  let longest = 0;
  for (const token of vocabulary.keys()) longest = Math.max(longest, token.length);
  return {
    name: "WordPiece",
    vocabulary,
    encode(text) {
      const whole: Word = { ids: [unknown], starts: [0], ends: [text.length] };
      if (text.length > most && [...text].length > most) return whole;
      const word: Word = { ids: [], starts: [], ends: [] };
      for (let start = 0; start < text.length; ) {
        let end = Math.min(text.length, start + longest);
        let id: number | undefined;
        for (; end > start; end--) {
          const piece = text.slice(start, end);
          id = vocabulary.get(start > 0 ? prefix + piece : piece);
          if (id !== undefined) break;
        }
        if (id === undefined) return whole;
        word.ids.push(id);
        word.starts.push(start);
        word.ends.push(end);
        start = end;
      }
      return word;
    },
  };
}

/** WordLevel: a token for each word of the vocabulary. */
export function wordLevel(part: Part): Model {
  const vocabulary = vocabularyOf(part);
  const unknown = unknownId(part, vocabulary);
  return {
    name: "WordLevel",
    vocabulary,
    encode(text) {
      const id = vocabulary.get(text) ?? unknown;
      return id === undefined ? { ids: [], starts: [], ends: [] } : { ids: [id], starts: [0], ends: [text.length] };
    },
  };
}
