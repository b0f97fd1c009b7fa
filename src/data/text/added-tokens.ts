import { type AlignedText, original, slice } from "./aligned-text.ts";
import type { Normalizer } from "./normalize/normalizer.ts";
import type { Part } from "./part.ts";

/** A token that is found in the text itself, before it is split: `[MASK]`, `<|im_start|>`. */
export interface AddedToken {
  id: number;
  content: string;
  /** Found only where no word character stands beside it. */
  isSingleWord: boolean;
  /** Takes the spaces before it, or after it. */
  stripsLeft: boolean;
  stripsRight: boolean;
  /** Looked for in the normalized text. */
  isNormalized: boolean;
  isSpecial: boolean;
}

/** A piece of a text: an added token, or text for the model, normalized. */
export interface Section {
  text: AlignedText;
  token?: AddedToken;
}

export function addedTokensOf(parts: unknown): AddedToken[] {
  return ((parts ?? []) as Part[]).map((part) => ({
    id: Number(part.id),
    content: String(part.content),
    isSingleWord: part.single_word === true,
    stripsLeft: part.lstrip === true,
    stripsRight: part.rstrip === true,
    isNormalized: part.normalized === true,
    isSpecial: part.special === true,
  }));
}

const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, "u");
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, "u");

/** Splits a text at the added tokens and normalizes the rest, as Python's library does. */
export function sectioner(
  tokens: readonly AddedToken[],
  normalize: Normalizer,
): (text: string, isTracked: boolean) => Section[] {
  const plain = finder(
    tokens.filter((token) => !token.isNormalized),
    (content) => content,
  );
  const normalized = finder(
    tokens.filter((token) => token.isNormalized),
    (content) => normalize({ text: content }).text,
  );
  return (text, isTracked) =>
    plain(original(text, isTracked)).flatMap((section) =>
      section.token ? [section] : normalized(normalize(section.text)),
    );
}

/** Finds tokens by one expression, in which the longest comes first. */
function finder(tokens: readonly AddedToken[], written: (content: string) => string): (text: AlignedText) => Section[] {
  const byText = new Map<string, AddedToken>();
  for (const token of tokens) {
    const content = written(token.content);
    if (content !== "" && !byText.has(content)) byText.set(content, token);
  }
  if (byText.size === 0) return (text) => (text.text === "" ? [] : [{ text }]);
  const longestFirst = [...byText.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")).join("|"), "g");
  return (aligned) => {
    const { text } = aligned;
    const sections: Section[] = [];
    let last = 0;
    const keep = (to: number) => {
      if (to > last) sections.push({ text: slice(aligned, last, to) });
    };
    for (const { 0: match, index } of text.matchAll(pattern)) {
      const token = byText.get(match)!;
      let [from, to] = [index, index + match.length];
      if (token.isSingleWord && (ENDS_WITH_WORD.test(text.slice(0, from)) || STARTS_WITH_WORD.test(text.slice(to)))) {
        continue;
      }
      // An earlier token may have taken the spaces already.
      if (token.stripsLeft) from = Math.max(last, text.slice(0, from).replace(/\p{White_Space}+$/u, "").length);
      if (token.stripsRight) to += /^\p{White_Space}*/u.exec(text.slice(to))![0].length;
      keep(from);
      sections.push({ text: slice(aligned, from, to), token });
      last = to;
    }
    keep(text.length);
    return sections;
  };
}
