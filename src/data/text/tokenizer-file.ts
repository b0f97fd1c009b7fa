// Adapts a tokenizer.json so that the JavaScript library gives the ids of Python's `tokenizers`, and refuses what it cannot.

import { byteSymbols } from "./merges.ts";

/** The contents of a `tokenizer.json`, the file format of Hugging Face's tokenizers. */
export interface TokenizerFile {
  model: { type: string; vocab: Record<string, number>; merges: [string, string][] };
  [part: string]: unknown;
}

interface Part {
  type?: string;
  [option: string]: unknown;
}

/** Unicode's white space and word characters, as Python's library takes them; JavaScript's `\s` and `\w` are others. */
const SPACE = "\\p{White_Space}";
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const split = (regex: string, behavior: string, invert = false): Part => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior,
  invert,
});
const bySpace = split(`${SPACE}+`, "Removed");

const NORMALIZERS = "BertNormalizer Lowercase NFC NFD NFKC NFKD Prepend Replace Strip StripAccents".split(" ");
const PRE_TOKENIZERS = "BertPreTokenizer ByteLevel Digits Metaspace Punctuation Split Whitespace WhitespaceSplit".split(
  " ",
);
const POST_PROCESSORS = ["BertProcessing", "ByteLevel", "RobertaProcessing", "TemplateProcessing"];

/**
 * The file, written so that the JavaScript library gives the ids of the Python one.
 * @throws TypeError for a model that is neither BPE nor WordPiece, or a part whose ids would differ, naming it
 */
export function portableFile(file: TokenizerFile): TokenizerFile {
  if (!file?.model?.vocab) throw new TypeError("expected a tokenizer.json with a model and a vocabulary");
  const model = file.model as unknown as Part;
  const type = model.type ?? (Array.isArray(model.merges) ? "BPE" : undefined);
  if (type !== "BPE" && type !== "WordPiece")
    refuse(`a model of type ${type ?? "(none)"}`, "bpeTokenizer reads BPE and WordPiece");
  const before = parts(file.pre_tokenizer, "pretokenizers", "pre-tokenizer", PRE_TOKENIZERS);
  if (type === "BPE") checkBpe(model, file.model.vocab, before);
  const normalizers = parts(file.normalizer, "normalizers", "normalizer", NORMALIZERS).flatMap(portableNormalizer);
  parts(file.post_processor, "processors", "post-processor", POST_PROCESSORS);
  for (const added of (file.added_tokens ?? []) as Part[])
    if (added.single_word) refuse(`the added token ${added.content} with single_word`);
  const portable = before.map(portablePreTokenizer);
  return {
    ...file,
    model: { ...file.model, type },
    normalizer: normalizers.length === 0 ? null : { type: "Sequence", normalizers },
    pre_tokenizer: portable.length === 0 ? null : { type: "Sequence", pretokenizers: portable },
  };
}

function refuse(what: string, why = "the ids would differ from those of Python's tokenizers"): never {
  throw new TypeError(`unsupported tokenizer.json with ${what}: ${why}`);
}

/** A part and those inside its sequences, each of a known type. */
function parts(whole: unknown, inside: string, what: string, known: readonly string[]): Part[] {
  if (whole === null || whole === undefined) return [];
  const part = whole as Part;
  if (part.type === "Sequence") return (part[inside] as unknown[]).flatMap((each) => parts(each, inside, what, known));
  if (!known.includes(part.type ?? "")) refuse(`the ${what} ${part.type}`);
  return [part];
}

function checkBpe(model: Part, vocabulary: Record<string, number>, before: readonly Part[]): void {
  const { continuing_subword_prefix: prefix, fuse_unk: fused, unk_token: unknown, byte_fallback: fallback } = model;
  if (model.dropout) refuse(`a dropout of ${model.dropout}`, "its ids are drawn at random; set it to null");
  if (prefix) refuse(`the continuing_subword_prefix ${prefix}`);
  const byteLevel = before.some(({ type }) => type === "ByteLevel");
  if (!unknown && !byteLevel && !fallback) refuse("no unk_token");
  if (byteLevel && !unknown) {
    const missing = byteSymbols.filter((symbol) => !Object.hasOwn(vocabulary, symbol));
    if (missing.length > 0) refuse(`no token for ${missing.length} of the 256 bytes and no unk_token`);
  }
  // Python joins unknown characters within a word, the JavaScript library across words.
  if (fused && !fallback && before.length > 0) refuse("fuse_unk beside a pre-tokenizer");
}

/** JavaScript's `trim` takes a byte order mark for white space, and its `toLowerCase` knows of a sigma at a word's end. */
function portableNormalizer(part: Part): Part[] {
  const replace = (pattern: object, content: string): Part => ({ type: "Replace", pattern, content });
  const isLowercase = part.type === "Lowercase" || (part.type === "BertNormalizer" && part.lowercase === true);
  if (isLowercase) return [replace({ String: "\u03a3" }, "\u03c3"), part];
  if (part.type !== "Strip") return [part];
  const without = (regex: string): Part => replace({ Regex: regex }, "");
  return [...(part.strip_left ? [without(`^${SPACE}+`)] : []), ...(part.strip_right ? [without(`${SPACE}+$`)] : [])];
}

function portablePreTokenizer(part: Part): Part {
  const { type, behavior, invert } = part;
  const how = String(behavior).toLowerCase();
  const pattern = part.pattern as { Regex?: string; String?: string } | undefined;
  switch (type) {
    case "Whitespace":
      return split(`[${WORD}]+|[^${WORD}${SPACE}]+`, "Removed", true);
    case "WhitespaceSplit":
      return bySpace;
    case "BertPreTokenizer":
      return { type: "Sequence", pretokenizers: [bySpace, split("[!-\\/:-@\\[-`{-~\\p{P}]", "Isolated")] };
    case "Punctuation":
      if (how !== "isolated" && how !== "contiguous") refuse(`the pre-tokenizer Punctuation with ${behavior}`);
      return part;
    case "Split":
      if (invert ? how !== "removed" : !(how === "isolated" || (how === "removed" && pattern?.Regex !== undefined)))
        refuse(`the pre-tokenizer Split with ${behavior}${invert ? ", inverted" : ""}`);
      return part;
    default:
      return part;
  }
}
