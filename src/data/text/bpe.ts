import { readFileSync } from "node:fs";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { byteSymbols, trainMerges } from "./merges.ts";
import { checked, type Tokenizer } from "./tokenizer.ts";
import { portableFile, type TokenizerFile } from "./tokenizer-file.ts";

/** A tokenizer with the contents of its `tokenizer.json`. */
export interface BpeTokenizer extends Tokenizer {
  /** The contents of a `tokenizer.json` that Python's `tokenizers` reads. */
  file: TokenizerFile;
}

/**
 * Learns a byte-level byte-pair encoding from `corpus`: the text is split into words as GPT-2 does, then the most frequent
 * pair of neighbouring tokens becomes a new token until there are `size` ids, or no pair occurs twice.
 *
 * Sennrich, Haddow & Birch 2016 (arXiv 1508.07909); Radford et al. 2019 for bytes.
 *
 * @throws RangeError when `size` is below 258 (padding and 256 bytes) or the corpus has no text
 */
export function trainBpe(corpus: Iterable<string>, { size }: { size: number }): BpeTokenizer {
  if (!Number.isInteger(size) || size < 258) {
    throw new RangeError(`size must be an integer of at least 258 (padding, 256 bytes, one merge), got ${size}`);
  }
  const merges = trainMerges(corpus, size - 257);
  const tokens = ["<pad>", ...byteSymbols, ...merges.map((pair) => pair.join(""))];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return bpeTokenizer({
    version: "1.0",
    truncation: null,
    padding: null,
    // The padding is not an added token, so "<pad>" in a text is encoded as text.
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    } as TokenizerFile["model"],
  });
}

/**
 * The tokenizer of a `tokenizer.json`, given as contents or path: BPE (GPT-2, RoBERTa, Llama) or WordPiece (BERT). It gives
 * the ids of Python's `Tokenizer.from_file(path).encode(text)`, with the file's special tokens ([CLS] and [SEP]) and
 * truncation, without its padding, because batches are padded later.
 *
 * @throws TypeError for another model, or a component whose ids would differ from Python's
 * @throws RangeError, when encoding, for a `maxLength` below the number of special tokens
 */
export function bpeTokenizer(file: TokenizerFile | string): BpeTokenizer {
  const contents = typeof file === "string" ? (JSON.parse(readFileSync(file, "utf8")) as TokenizerFile) : file;
  const portable = portableFile(contents);
  const library = new Library(portable, {});
  const known = library.get_vocab();
  let size = 0;
  for (const id of known.values()) size = Math.max(size, id + 1);
  const ids = (text: string, special: boolean) => library.encode(text, { add_special_tokens: special }).ids;
  const cut = truncation(contents, ids);
  // What batches are padded with: a token for it, or the first id of a vocabulary that has none.
  const padding = /^(<pad>|\[PAD\])$/i.test(library.id_to_token(0) ?? "");
  return {
    name: portable.model.type,
    size,
    paddingId: 0,
    file: contents,
    encode: (text, { maxLength } = {}) => Int32Array.from(cut(text, maxLength)),
    decode: (list) => {
      const own = checked(list, size).filter((id) => id > 0 || !padding);
      if (own.length === 0) return "";
      return library.decode(own, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    },
  };
}

/** A text's ids, shortened as Python's library does: the special tokens stay. */
function truncation(
  { truncation }: TokenizerFile,
  ids: (text: string, special: boolean) => number[],
): (text: string, maxLength: number | undefined) => number[] {
  const { max_length: most, direction = "Right" } = (truncation ?? {}) as { max_length?: number; direction?: string };
  const specialTokens = ids("", true).length;
  // The special tokens before a text, seen beside a text that has none of them.
  const before = ["a", "the", "1", "."]
    .map((text) => [ids(text, true), ids(text, false)] as const)
    .map(([all, own]) => all.findIndex((_, at) => own.length > 0 && own.every((id, i) => id === all[at + i])))
    .find((at) => at >= 0);
  return (text, maxLength) => {
    const all = ids(text, true);
    const limit = Math.min(most ?? Number.POSITIVE_INFINITY, maxLength ?? Number.POSITIVE_INFINITY);
    if (all.length <= limit) return all;
    if (limit < specialTokens || before === undefined)
      throw new RangeError(
        `maxLength must be at least ${specialTokens}, the number of special tokens of this tokenizer, got ${limit}`,
      );
    const after = specialTokens - before;
    const own = all.slice(before, all.length - after);
    const room = limit - specialTokens;
    const kept = direction.toLowerCase() === "left" ? own.slice(own.length - room) : own.slice(0, room);
    return [...all.slice(0, before), ...kept, ...all.slice(all.length - after)];
  };
}
