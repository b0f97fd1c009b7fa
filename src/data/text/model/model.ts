import { flatten, type Part, refuse } from "../part.ts";
import { bpe } from "./bpe.ts";
import { unigram } from "./unigram.ts";
import type { Model } from "./word.ts";
import { wordLevel, wordPiece } from "./word-piece.ts";

/** The model of a tokenizer.json, with the tokens of Python's library. @throws TypeError for one that is not known */
export function modelOf(file: { model: unknown; pre_tokenizer?: unknown }): Model {
  const part = (file.model ?? {}) as Part;
  switch (part.type ?? typeOf(part)) {
    case "BPE":
      return bpe(
        part,
        flatten(file.pre_tokenizer, "pretokenizers").some(({ type }) => type === "ByteLevel"),
      );
    case "Unigram":
      return unigram(part);
    case "WordLevel":
      return wordLevel(part);
    case "WordPiece":
      return wordPiece(part);
    default:
      return refuse(`a model of type ${part.type ?? "(none)"}`, "BPE, Unigram, WordLevel and WordPiece are supported");
  }
}

/** Old files do not name the type. */
function typeOf({ merges, vocab, continuing_subword_prefix: prefix }: Part): string | undefined {
  if (Array.isArray(merges)) return "BPE";
  if (Array.isArray(vocab)) return "Unigram";
  return prefix === undefined ? undefined : "WordPiece";
}
