import { byteSymbols, trainMerges } from "./merges.ts";
import { type TextTokenizer, textTokenizer } from "./text-tokenizer.ts";

/**
 * Learns a byte-level byte-pair encoding from `corpus`: the text is split into words as GPT-2 does, then the most frequent
 * pair of neighbouring tokens becomes a new token until there are `size` ids, or no pair occurs twice.
 *
 * Sennrich, Haddow & Birch 2016 (arXiv 1508.07909); Radford et al. 2019 for bytes.
 *
 * @throws RangeError when `size` is below 258 (padding and 256 bytes) or the corpus has no text
 */
export function trainBpe(corpus: Iterable<string>, { size }: { size: number }): TextTokenizer {
  if (!Number.isInteger(size) || size < 258) {
    throw new RangeError(`size must be an integer of at least 258 (padding, 256 bytes, one merge), got ${size}`);
  }
  const merges = trainMerges(corpus, size - 257);
  const tokens = ["<pad>", ...byteSymbols, ...merges.map((pair) => pair.join(""))];
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return textTokenizer({
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
    },
  });
}
