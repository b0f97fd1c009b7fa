import * as library from "@huggingface/tokenizers";
import * as v from "valibot";

/** A part of a tokenizer.json: a normalizer, a pre-tokenizer, a post-processor, a decoder, a model or an added token. */
export interface Part {
  type?: string;
  [option: string]: unknown;
}

/** @throws TypeError that names what a tokenizer.json asks for and is not supported */
export function refuse(what: string, why = "it is not supported here"): never {
  throw new TypeError(`a tokenizer.json with ${what}: ${why}`);
}

/** An id is a place in a list of tokens; a larger one would fill the memory. */
export const idSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 26));

/** A part and those inside its sequences, in order. */
export function flatten(whole: unknown, inside: string): Part[] {
  if (whole === null || whole === undefined) return [];
  const part = whole as Part;
  if (part.type !== "Sequence") return [part];
  const parts = part[inside] ?? [];
  if (!Array.isArray(parts))
    refuse(`an invalid ${inside} of a Sequence`, `expected an array, got ${JSON.stringify(parts)}`);
  return parts.flatMap((each) => flatten(each, inside));
}

/** The part of @huggingface/tokenizers that is used; its declarations do not resolve under Node's rules. */
interface Library {
  SplitPreTokenizer: new (part: Part) => { pattern: RegExp | null };
}
const { SplitPreTokenizer } = library as unknown as Library;

/** A pattern of a file, `{ String }` or `{ Regex }` in Oniguruma's syntax, which @huggingface/tokenizers translates. */
export function patternOf(pattern: unknown): RegExp {
  try {
    const translated = new SplitPreTokenizer({ type: "Split", pattern, invert: true }).pattern;
    if (translated) return translated;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return refuse(`the pattern ${JSON.stringify(pattern)}`);
}
