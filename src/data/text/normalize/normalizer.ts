import { type AlignedText, isAscii, mapCharacters, prepend, replaceMatches, slice, withText } from "../aligned-text.ts";
import { flatten, type Part, patternOf, refuse } from "../part.ts";
import { precompiled } from "./precompiled.ts";
import { type UnicodeForm, unicodeForm } from "./unicode-form.ts";

/** Changes a text before it is split. */
export type Normalizer = (text: AlignedText) => AlignedText;

/** The normalizer of a tokenizer.json, with the results of Python's library. @throws TypeError for one that is not known */
export function normalizerOf(whole: unknown): Normalizer {
  const steps = flatten(whole, "normalizers").map(single);
  return (text) => steps.reduce((result, step) => step(result), text);
}

function single(part: Part): Normalizer {
  switch (part.type) {
    case "BertNormalizer":
      return bert(part);
    case "Lowercase":
      return lowercase;
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form: UnicodeForm = part.type;
      return (text) => unicodeForm(text, form);
    }
    case "Nmt":
      return (text) => mapCharacters(text, nmt);
    case "Precompiled":
      return precompiled(String(part.precompiled_charsmap));
    case "Prepend":
      return (text) => prepend(text, String(part.prepend));
    case "Replace": {
      const pattern = patternOf(part.pattern);
      return (text) => replaceMatches(text, pattern, String(part.content));
    }
    case "Strip":
      return (text) => strip(text, part.strip_left !== false, part.strip_right !== false);
    case "StripAccents":
      return (text) => remove(text, /\p{M}/u);
    default:
      return refuse(`the normalizer ${part.type}`);
  }
}

/** Each character for itself, so that a capital sigma at the end of a word becomes the usual small one, as in Python's library. */
function lowercase(text: AlignedText): AlignedText {
  const lower = text.text.includes("\u03a3") ? "" : text.text.toLowerCase();
  // A capital I with a dot becomes two characters.
  if (lower.length === text.text.length) return withText(text, lower);
  return mapCharacters(text, (character) => character.toLowerCase());
}

function remove(text: AlignedText, pattern: RegExp): AlignedText {
  if (isAscii(text.text) || text.text.search(pattern) < 0) return text;
  return mapCharacters(text, (character) => (pattern.test(character) ? "" : character));
}

function strip(text: AlignedText, left: boolean, right: boolean): AlignedText {
  const from = left ? /^\p{White_Space}*/u.exec(text.text)![0].length : 0;
  const rest = text.text.slice(from);
  return slice(text, from, from + (right ? rest.replace(/\p{White_Space}+$/u, "").length : rest.length));
}

function bert({
  clean_text: cleans,
  handle_chinese_chars: spaces,
  strip_accents: strips,
  lowercase: lowers,
}: Part): Normalizer {
  return (text) => {
    let result = text;
    if (cleans || spaces) result = mapBert(result, cleans === true, spaces === true);
    if (strips ?? lowers) result = remove(unicodeForm(result, "NFD"), /\p{Mn}/u);
    return lowers ? lowercase(result) : result;
  };
}

function mapBert(text: AlignedText, cleans: boolean, spaces: boolean): AlignedText {
  // Most texts are printable ASCII and line breaks.
  if (/^[ -~\t\n\r]*$/.test(text.text)) return cleans ? withText(text, text.text.replace(/[\t\n\r]/g, " ")) : text;
  return mapCharacters(text, (character) => {
    if (character >= " " && character <= "~") return character;
    if (cleans) {
      if (/^[\t\n\r]$/.test(character)) return " ";
      if (/^[\p{Cc}\p{Cf}\p{Co}\ufffd]$/u.test(character)) return "";
      if (/^\p{White_Space}$/u.test(character)) return " ";
    }
    return spaces && isChinese(character.codePointAt(0)!) ? ` ${character} ` : character;
  });
}

/** The blocks that BERT takes for Chinese characters. */
const CHINESE = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
] as const;

function isChinese(point: number): boolean {
  return CHINESE.some(([from, to]) => point >= from && point <= to);
}

/** SentencePiece's rules for machine translation: controls are removed, unusual spaces become spaces. */
function nmt(character: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the controls that the rule removes.
  if (/^[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]$/.test(character)) return "";
  return /^[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]$/.test(character) ? " " : character;
}
