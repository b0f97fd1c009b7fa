import { type AlignedText, isAscii, transform } from "../aligned-text.ts";

export type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/**
 * A text in one of Unicode's normal forms. JavaScript gives the text, and the alignment is that of Python's library: a character
 * that is split stands in all its parts for the original; one that is joined stands for its first part.
 */
export function unicodeForm(aligned: AlignedText, form: UnicodeForm): AlignedText {
  const { text } = aligned;
  if (isAscii(text)) return aligned;
  const normal = text.normalize(form);
  if (normal === text) return aligned;
  if (!aligned.starts) return { text: normal };
  const split = form.includes("K") ? "NFKD" : "NFD";
  const parts: { character: string; change: number }[] = [];
  for (const character of text) {
    for (const [i, part] of [...character.normalize(split)].entries()) {
      parts.push({ character: part, change: i === 0 ? 0 : 1 });
    }
  }
  const take = taker(parts);
  // The marks of a character may have got another order.
  const sorted = [...text.normalize(split)].map((character) => ({ character, change: take(character) }));
  const join = taker(sorted);
  const characters = [...normal];
  const changes = characters.map((character) => {
    const own = [...character.normalize("NFD")];
    return own.reduce((sum, part) => sum + join(part), 0) - (own.length - 1);
  });
  return transform(aligned, characters, changes);
}

/** Takes the changes out of a list, by character: the first one that is left. */
function taker(list: readonly { character: string; change: number }[]): (character: string) => number {
  const isTaken = new Uint8Array(list.length);
  let first = 0;
  return (character) => {
    while (isTaken[first]) first++;
    for (let i = first; i < list.length; i++) {
      if (isTaken[i] || list[i]!.character !== character) continue;
      isTaken[i] = 1;
      return list[i]!.change;
    }
    return 0;
  };
}
