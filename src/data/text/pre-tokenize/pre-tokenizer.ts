import { type AlignedText, prepend, replaceMatches, slice, unitsAt } from "../aligned-text.ts";
import { flatten, type Part, patternOf, refuse } from "../part.ts";
import { type Behavior, split } from "./split.ts";

/** Splits a text into the pieces that the model encodes. */
export interface PreTokenizer {
  split(text: AlignedText): AlignedText[];
  /** Whether the model gets each piece as the symbols of its bytes. */
  isByteLevel: boolean;
  /** Whether the pieces depend on where the text lies in the original. */
  needsAlignment: boolean;
}

type Step = (text: AlignedText) => AlignedText[];

const SPACES = /\p{White_Space}+/gu;
/** Word characters as Python's library takes them; JavaScript's `\w` is ASCII only. */
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const WORDS = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, "gu");
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;
/** A punctuation character, or what lies between white space and punctuation. */
const BERT_WORDS = /[!-/:-@[-`{-~\p{P}]|[^!-/:-@[-`{-~\p{P}\p{White_Space}]+/gu;
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pre-tokenizer of a tokenizer.json, with the results of Python's library. @throws TypeError for one that is not known */
export function preTokenizerOf(whole: unknown): PreTokenizer {
  const parts = flatten(whole, "pretokenizers");
  const bytes = parts.findIndex(({ type }) => type === "ByteLevel");
  if (bytes >= 0 && bytes < parts.length - 1) {
    refuse(`the pre-tokenizer ${parts[bytes + 1]!.type} after ByteLevel`, "a text becomes bytes last");
  }
  const steps = parts.map(single);
  return {
    split: (text) =>
      steps.reduce<AlignedText[]>((pieces, step) => pieces.flatMap(step), text.text === "" ? [] : [text]),
    isByteLevel: bytes >= 0,
    needsAlignment: parts.some((part) => part.type === "Metaspace" && schemeOf(part) === "first"),
  };
}

function single(part: Part): Step {
  switch (part.type) {
    case "BertPreTokenizer":
      return (text) => split(text, BERT_WORDS, "Removed", true);
    case "ByteLevel":
      return byteLevel(part);
    case "CharDelimiterSplit": {
      const pattern = patternOf({ String: part.delimiter });
      return (text) => split(text, pattern, "Removed");
    }
    case "Digits": {
      const behavior = part.individual_digits === true ? "Isolated" : "Contiguous";
      return (text) => split(text, /\p{N}/gu, behavior);
    }
    case "FixedLength":
      return (text) => fixedLength(text, Number(part.length));
    case "Metaspace":
      return metaspace(part);
    case "Punctuation": {
      const behavior = behaviorOf(part);
      return (text) => split(text, PUNCTUATION, behavior);
    }
    case "Split": {
      const pattern = patternOf(part.pattern);
      const behavior = behaviorOf(part);
      return (text) => split(text, pattern, behavior, part.invert === true);
    }
    case "Whitespace":
      return (text) => split(text, WORDS, "Removed", true);
    case "WhitespaceSplit":
      return (text) => split(text, SPACES, "Removed");
    default:
      return refuse(`the pre-tokenizer ${part.type}`);
  }
}

const BEHAVIORS: readonly Behavior[] = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"];

function behaviorOf({ type, behavior }: Part): Behavior {
  const name = String(behavior ?? "Isolated")
    .replaceAll("_", "")
    .toLowerCase();
  const known = BEHAVIORS.find((each) => each.toLowerCase() === name);
  return known ?? refuse(`the pre-tokenizer ${type} with the behavior ${behavior}`);
}

function byteLevel({ add_prefix_space: prefixes, use_regex: splits }: Part): Step {
  return (text) => {
    const whole = prefixes !== false && !text.text.startsWith(" ") ? prepend(text, " ") : text;
    return splits === false ? [whole] : split(whole, GPT2, "Isolated");
  };
}

/** Whether the mark is put in front of each text, of the first one, or of none; old files say `add_prefix_space`. */
function schemeOf({ prepend_scheme: scheme, add_prefix_space: prefixes }: Part): string {
  return String(scheme ?? (prefixes === false ? "never" : "always")).toLowerCase();
}

function metaspace(part: Part): Step {
  const mark = String(part.replacement ?? "▁");
  const scheme = schemeOf(part);
  const marks = patternOf({ String: mark });
  return (text) => {
    let whole = replaceMatches(text, / /g, mark);
    const prepends = scheme === "always" || (scheme === "first" && text.starts?.[0] === 0);
    if (prepends && !whole.text.startsWith(mark)) whole = prepend(whole, mark);
    return part.split === false ? [whole] : split(whole, marks, "MergedWithNext");
  };
}

function fixedLength(text: AlignedText, length: number): AlignedText[] {
  const pieces: AlignedText[] = [];
  for (let from = 0, to = 0; to < text.text.length; from = to) {
    for (let count = 0; count < length && to < text.text.length; count++) to += unitsAt(text.text, to);
    pieces.push(slice(text, from, to));
  }
  return pieces;
}
