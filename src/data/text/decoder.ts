import { byteSymbols } from "./merges.ts";
import { flatten, type Part, patternOf, refuse } from "./part.ts";

type Decoder = (tokens: string[]) => string[];

/** Joins tokens to a text, by the decoder of a tokenizer.json. @throws TypeError for one that is not known */
export function decoderOf(whole: unknown): (tokens: string[]) => string {
  const steps = flatten(whole, "decoders").map(single);
  if (steps.length === 0) return (tokens) => tokens.join(" ");
  return (tokens) => steps.reduce((list, step) => step(list), tokens).join("");
}

function single(part: Part): Decoder {
  switch (part.type) {
    case "BPEDecoder": {
      const suffix = String(part.suffix ?? "</w>");
      return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? "" : " "));
    }
    case "ByteFallback":
      return byteFallback;
    case "ByteLevel":
      return byteLevel;
    case "CTC":
      return ctc(part);
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Metaspace": {
      const mark = String(part.replacement ?? "▁");
      const starts = part.prepend_scheme === "never" ? " " : "";
      return (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 ? starts : " "));
    }
    case "Replace": {
      const pattern = patternOf(part.pattern);
      return (tokens) => tokens.map((token) => token.replaceAll(pattern, () => String(part.content)));
    }
    case "Strip":
      return (tokens) => tokens.map((token) => strip(token, part));
    case "WordPiece":
      return wordPiece(part);
    default:
      return refuse(`the decoder ${part.type}`);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const byteOfSymbol = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]));

/** A token with a character that is no symbol of a byte, such as an added one, is text. */
const byteLevel: Decoder = (tokens) => {
  const bytes = tokens.map((token) => {
    const own = Array.from(token, (symbol) => byteOfSymbol.get(symbol));
    return own.includes(undefined) ? Buffer.from(token) : Uint8Array.from(own as number[]);
  });
  return [decoder.decode(Buffer.concat(bytes))];
};

/** Tokens of bytes side by side are one text, or a replacement character each where they are no UTF-8. */
const byteFallback: Decoder = (tokens) => {
  const made: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      made.push(strict.decode(Uint8Array.from(bytes)));
    } catch {
      made.push(...bytes.map(() => "\ufffd"));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      made.push(token);
    }
  }
  flush();
  return made;
};

function ctc({ pad_token: pad, word_delimiter_token: delimiter, cleanup }: Part): Decoder {
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1])
      .map((token) => token.replaceAll(String(pad ?? "<pad>"), ""))
      .map((token) => (cleanup === false ? token : cleanUp(token).replaceAll(String(delimiter ?? "|"), " ")))
      .filter((token) => token !== "");
}

function strip(token: string, { content, start, stop }: Part): string {
  const characters = [...token];
  let from = 0;
  while (from < Math.min(Number(start), characters.length) && characters[from] === content) from++;
  let to = characters.length;
  while (to > from && characters.length - to < Number(stop) && characters[to - 1] === content) to--;
  return characters.slice(from, to).join("");
}

function wordPiece({ prefix: mark, cleanup }: Part): Decoder {
  const prefix = String(mark ?? "##");
  const join = (token: string, i: number) => {
    if (i === 0) return token;
    return token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
  };
  return (tokens) => tokens.map(join).map((token) => (cleanup === false ? token : cleanUp(token)));
}

/** Removes the spaces before punctuation and in contractions, as transformers' `clean_up_tokenization_spaces`. */
export function cleanUp(text: string): string {
  return text
    .replace(/ ([.?!,])/g, "$1")
    .replaceAll(" ' ", "'")
    .replaceAll(" do not", " don't")
    .replace(/ (n't|'m|'s|'ve|'re)/g, "$1");
}
