import { inspect } from "node:util";
import type { HubOptions } from "../hub/snapshot.ts";
import { type AddedToken, addedTokensOf, sectioner } from "./added-tokens.ts";
import { checkFile } from "./check-file.ts";
import { cleanUp, decoderOf } from "./decoder.ts";
import { assemble, type Encoding, type Tokens } from "./encoding.ts";
import { modelOf } from "./model/model.ts";
import { type Normalizer, normalizerOf } from "./normalize/normalizer.ts";
import { postProcessorOf } from "./post-processor.ts";
import { preTokenizerOf } from "./pre-tokenize/pre-tokenizer.ts";
import { checked, type Tokenizer, type TokenizerOptions } from "./tokenizer.ts";
import { readTokenizer, type TokenizerConfig, type TokenizerFile } from "./tokenizer-file.ts";
import {
  checkStrategy,
  type Truncation,
  type TruncationStrategy,
  truncate,
  truncationOf,
  windows,
} from "./truncate.ts";
import { wordEncoder } from "./word-encoder.ts";

/** Options of a `TextTokenizer`'s `encode` and `encoding`. */
export interface TextOptions extends TokenizerOptions {
  /** The second text of a pair. */
  pair?: string;
  /** Which text of a pair is shortened; `"longestFirst"` by default. */
  truncation?: TruncationStrategy;
  /** Whether special tokens such as [CLS] are added; they are by default. */
  addSpecialTokens?: boolean;
}

/** Options of a `TextTokenizer`'s `decode`. */
export interface DecodeOptions {
  /** Whether special tokens and padding are left out; they are by default. */
  skipSpecialTokens?: boolean;
  /** Whether spaces before punctuation are removed, as transformers' `clean_up_tokenization_spaces`; false by default. */
  cleanUp?: boolean;
}

/** The tokenizer of a `tokenizer.json`. */
export interface TextTokenizer extends Tokenizer {
  /** The contents of the `tokenizer.json`, which Python's `tokenizers` reads. */
  file: TokenizerFile;
  /** What a `tokenizer_config.json` beside it says. */
  config: TokenizerConfig;
  encode(text: string, options?: TextOptions): Int32Array;
  /** The ids of a text or a pair with their type ids, and what part of the text each stands for; `offsets: false` saves time. */
  encoding(text: string, options?: TextOptions & { offsets?: boolean }): Encoding;
  /**
   * A long text in windows of `maxLength` tokens, special tokens included; each begins with the last `stride` tokens of the one
   * before it. Of a pair, one text is cut: `truncation` says which.
   */
  windows(text: string, options: TextOptions & { maxLength: number; stride?: number }): Encoding[];
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** The id of a token, and the token of an id; undefined where there is none. */
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
}

/**
 * The tokenizer of a `tokenizer.json`, given as its path, its folder, the name of a model on the hub, or its contents. It gives the
 * ids, type ids and offsets of Python's `Tokenizer.from_file(path).encode(text, pair)`, with the file's special tokens and
 * truncation; without its padding, because batches are padded later.
 *
 * @throws Error when there is no such tokenizer, or it cannot be downloaded
 * @throws TypeError for a part of the file that is not known, naming it
 * @throws RangeError, when encoding, for a `maxLength` below the number of special tokens
 */
export async function tokenizer(source: string | TokenizerFile, options: HubOptions = {}): Promise<TextTokenizer> {
  if (typeof source !== "string") return textTokenizer(source);
  const { file, config } = await readTokenizer(source, options);
  return textTokenizer(file, config);
}

/** The tokenizer of the contents of a `tokenizer.json`. @throws TypeError for a part that is not known */
export function textTokenizer(file: TokenizerFile, config: TokenizerConfig = {}): TextTokenizer {
  if (typeof file?.model !== "object" || file.model === null)
    throw new TypeError("expected a tokenizer.json with a model and a vocabulary");
  checkFile(file);
  const added = addedTokensOf(file.added_tokens);
  const model = modelOf(file);
  const normalize = normalizerOf(file.normalizer);
  const { idOf, tokenOf, size } = vocabularyOf(model.vocabulary, added, normalize);
  const sections = sectioner(added, normalize);
  const preTokenizer = preTokenizerOf(file.pre_tokenizer);
  const { pieces, trimOffsets } = postProcessorOf(file.post_processor);
  const decodeTokens = decoderOf(file.decoder);
  const encodeWord = wordEncoder(model, preTokenizer.isByteLevel);
  const special = new Set(added.filter(({ isSpecial }) => isSpecial).map(({ id }) => id));
  const truncation = truncationOf(file.truncation);
  const padding = paddingOf(file, config, idOf);

  function tokensOf(text: string, isTracked: boolean): Tokens {
    const tokens: Tokens = { ids: [], starts: [], ends: [], texts: [] };
    for (const section of sections(text, isTracked || preTokenizer.needsAlignment)) {
      if (section.token) {
        tokens.ids.push(section.token.id);
        if (!isTracked) continue;
        tokens.texts.push(section.text.text);
        tokens.starts.push(section.text.starts![0]!);
        tokens.ends.push(section.text.ends!.at(-1)!);
        continue;
      }
      for (const { text: piece, starts, ends } of preTokenizer.split(section.text)) {
        const word = encodeWord(piece);
        for (let i = 0; i < word.ids.length; i++) {
          tokens.ids.push(word.ids[i]!);
          if (!isTracked) continue;
          tokens.texts.push(tokenOf(word.ids[i]!)!);
          tokens.starts.push(starts![word.starts[i]!]!);
          tokens.ends.push(ends![word.ends[i]! - 1]!);
        }
      }
    }
    return tokens;
  }

  /** Encodes the texts that `cut` makes of a text or a pair. */
  function encodings(
    text: string,
    isTracked: boolean,
    options: TextOptions,
    cut: (texts: Tokens[], limit: Truncation, added: number) => Tokens[][],
  ): Encoding[] {
    const { pair, addSpecialTokens = true } = options;
    for (const each of pair === undefined ? [text] : [text, pair])
      if (typeof each !== "string") throw new TypeError(`a tokenizer encodes a string, got ${inspect(each)}`);
    const texts = [tokensOf(text, isTracked), ...(pair === undefined ? [] : [tokensOf(pair, isTracked)])];
    const layout = pieces(pair !== undefined, addSpecialTokens);
    const limit = limitOf(truncation, config, options);
    const added = layout.reduce((sum, piece) => sum + ("ids" in piece ? piece.ids.length : 0), 0);
    return (limit ? cut(texts, limit, added) : [texts]).map((kept) => {
      if (isTracked) for (const [i, tokens] of kept.entries()) trimOffsets(tokens, i === 0 ? text : (pair ?? ""));
      return assemble(layout, kept);
    });
  }

  const encoding = (text: string, isTracked: boolean, options: TextOptions): Encoding =>
    encodings(text, isTracked, options, (texts, limit, added) => [truncate(texts, limit, added)])[0]!;

  return {
    name: model.name,
    size,
    paddingId: padding ?? 0,
    file,
    config,
    idOf,
    tokenOf,
    encode: (text, options = {}) => encoding(text, false, options).ids,
    encoding: (text, options = {}) => encoding(text, options.offsets !== false, options),
    windows: (text, { stride = 0, ...options }) =>
      encodings(text, true, options, (texts, limit, added) => windows(texts, limit, added, stride)),
    decode: (ids, { skipSpecialTokens = true, cleanUp: cleans = false } = {}) => {
      const list = checked(ids, size);
      const kept = skipSpecialTokens ? list.filter((id) => !special.has(id) && id !== padding) : list;
      const tokens = kept.map(tokenOf).filter((token) => token !== undefined);
      const text = tokens.length === 0 ? "" : decodeTokens(tokens);
      return cleans ? cleanUp(text) : text;
    },
  };
}

/** An added token that is looked for in the normalized text is written as it stands there. */
function vocabularyOf(vocabulary: ReadonlyMap<string, number>, added: readonly AddedToken[], normalize: Normalizer) {
  const ids = new Map(vocabulary);
  for (const { id, content } of added) ids.set(content, id);
  let size = 0;
  for (const id of ids.values()) size = Math.max(size, id + 1);
  const tokens: (string | undefined)[] = new Array(size);
  for (const [token, id] of vocabulary) tokens[id] = token;
  for (const { id, content, isNormalized } of added) {
    tokens[id] = isNormalized ? normalize({ text: content }).text : content;
  }
  return { size, idOf: (token: string) => ids.get(token), tokenOf: (id: number) => tokens[id] };
}

/** The id of the padding, where there is a token for it. */
function paddingOf(
  { padding }: TokenizerFile,
  { paddingToken }: TokenizerConfig,
  idOf: (token: string) => number | undefined,
): number | undefined {
  const { pad_id: id } = (padding ?? {}) as { pad_id?: number };
  return id ?? (paddingToken === undefined ? undefined : idOf(paddingToken)) ?? idOf("<pad>") ?? idOf("[PAD]");
}

/** What the options ask for, or else the file, as in `transformers`. */
function limitOf(file: Truncation | undefined, config: TokenizerConfig, options: TextOptions): Truncation | undefined {
  const { maxLength, truncation } = options;
  const limit = maxLength ?? file?.maxLength;
  if (truncation !== undefined) checkStrategy(truncation);
  if (limit === undefined) return undefined;
  return {
    maxLength: limit,
    strategy: truncation ?? file?.strategy ?? "longestFirst",
    side: file?.side ?? config.truncationSide ?? "right",
  };
}
