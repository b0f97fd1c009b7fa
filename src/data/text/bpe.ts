import { readFileSync } from "node:fs";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { byteSymbols, trainMerges } from "./merges.ts";
import { checked, type Tokenizer } from "./tokenizer.ts";

/** The contents of a `tokenizer.json`, the file of Hugging Face's tokenizers. */
export interface TokenizerFile {
  model: { type: string; vocab: Record<string, number>; merges: [string, string][] };
  [part: string]: unknown;
}

export interface BpeTokenizer extends Tokenizer {
  /** To be written as `tokenizer.json`: Python's `tokenizers` reads it. */
  file: TokenizerFile;
}

/**
 * Byte-pair encoding over bytes, learned from `corpus`: GPT-2's splitting into words, then the most frequent pair of
 * neighbours becomes a token, until there are `size` ids. Nothing is downloaded.
 *
 * Sennrich, Haddow & Birch 2016 (arXiv 1508.07909); Radford et al. 2019 for bytes.
 */
export function trainBpe(corpus: Iterable<string>, { size }: { size: number }): BpeTokenizer {
  if (!Number.isInteger(size) || size < 258) {
    throw new RangeError(`size must be an integer above 257, the padding and all bytes, got ${size}`);
  }
  const merges = trainMerges(corpus, size - 257);
  const tokens = ["<pad>", ...byteSymbols, ...merges.map((pair) => pair.join(""))];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return bpeTokenizer({
    version: "1.0",
    truncation: null,
    padding: null,
    // The padding is no added token: a text with "<pad>" in it is that text.
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
 * The tokenizer of a `tokenizer.json`, as contents or path, from `trainBpe` or from elsewhere. Its id 0 must be the padding,
 * or a token that no text gives.
 */
export function bpeTokenizer(file: TokenizerFile | string): BpeTokenizer {
  const contents = typeof file === "string" ? (JSON.parse(readFileSync(file, "utf8")) as TokenizerFile) : file;
  if (!contents.model?.vocab) throw new TypeError("a tokenizer.json has a model with a vocabulary; this has none");
  const library = new Library(contents, {});
  const size = Math.max(...Object.values(contents.model.vocab)) + 1;
  return {
    name: "BPE",
    size,
    paddingId: 0,
    file: contents,
    encode: (text) => Int32Array.from(library.encode(text, { add_special_tokens: false }).ids),
    decode: (ids) => {
      const own = checked(ids, size).filter((id) => id > 0);
      return own.length ? library.decode(own, { clean_up_tokenization_spaces: false }) : "";
    },
  };
}
