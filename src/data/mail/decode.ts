/** The text of a body whose characters are bytes, by its transfer encoding and character set. */
export function decodeBody(body: string, encoding: string, charset: string | undefined): string {
  if (encoding.includes("base64")) return decodeBytes(Buffer.from(body, "base64"), charset);
  const bytes = encoding.includes("quoted-printable") ? quotedPrintable(body.replace(/=[ \t]*\r?\n/g, "")) : body;
  return decodeBytes(Buffer.from(bytes, "latin1"), charset);
}

function quotedPrintable(text: string): string {
  return text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The characters of windows-1252 for the bytes 0x80 to 0x9f; Node 20 decodes them as controls. */
const WINDOWS = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** An unknown character set is read as windows-1252, in which each byte is a character. */
function decodeBytes(bytes: Buffer, charset = "windows-1252"): string {
  const decoder = decoderOf(charset);
  if (decoder && decoder.encoding !== "windows-1252") return decoder.decode(bytes);
  return bytes.toString("latin1").replace(/[\u0080-\u009f]/g, (byte) => WINDOWS[byte.charCodeAt(0) - 0x80]!);
}

function decoderOf(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}

/** A header with encoded words, `=?utf-8?Q?caf=C3=A9?=` (RFC 2047). */
export function decodeHeader(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?([^?]+)\?([BbQq])\?([^?]*)\?=/g, (_, charset: string, encoding: string, text: string) => {
      const isBase64 = encoding.toLowerCase() === "b";
      return isBase64
        ? decodeBody(text, "base64", charset)
        : decodeBody(text.replaceAll("_", " "), "quoted-printable", charset);
    });
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  copy: "©",
  reg: "®",
};

/** The text of an HTML page: without tags, styles, scripts and comments. */
export function textOfHtml(html: string): string {
  return html
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, " ")
    .replace(/<!--[\s\S]*?-->/g, " ")
    .replace(/<(br|\/?p|\/?div|\/?tr|\/?li|\/?h\d)\b[^>]*>/gi, "\n")
    .replace(/<[!/?]?[A-Za-z][^>]*>/g, " ")
    .replace(/&(#x?[0-9A-Fa-f]+|\w+);/g, (whole, name: string) => {
      if (!name.startsWith("#")) return ENTITIES[name.toLowerCase()] ?? whole;
      const point = name[1]?.toLowerCase() === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : " ";
    });
}
