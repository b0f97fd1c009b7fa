import { decodeBody, decodeHeader, textOfHtml } from "./decode.ts";

/** What a person reads of an e-mail. */
export interface MailText {
  subject: string;
  /** Without attachments; of two versions of the same text the plain one. */
  body: string;
}

/** An e-mail, or a part of one. Each character of `body` is a byte. */
interface Part {
  header(name: string): string | undefined;
  body: string;
}

/** The subject and the text of an e-mail, as its bytes (RFC 5322, with the parts and encodings of MIME). */
export function mailText(bytes: Uint8Array): MailText {
  const part = parse(Buffer.from(bytes).toString("latin1"));
  return { subject: tidy(decodeHeader(part.header("subject") ?? "")), body: tidy(textOf(part)) };
}

function parse(source: string): Part {
  const [whole, head = source, body = ""] = /^([\s\S]*?)\r?\n\r?\n([\s\S]*)$/.exec(source) ?? [];
  // A part may have no header; then it begins with the empty line.
  const headers = whole === undefined ? source : head;
  const lines = headers.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  return {
    header: (name) => {
      const start = `${name}:`;
      return lines
        .find((line) => line.toLowerCase().startsWith(start))
        ?.slice(start.length)
        .trim();
    },
    body,
  };
}

function textOf(part: Part): string {
  const contentType = part.header("content-type") ?? "text/plain";
  const type = /^\s*([^;\s]+)/.exec(contentType)?.[1]?.toLowerCase() ?? "text/plain";
  const parameter = (name: string) => new RegExp(`${name}\\s*=\\s*"?([^";]+)`, "i").exec(contentType)?.[1]?.trim();
  const boundary = parameter("boundary");
  if (type.startsWith("multipart/") && boundary !== undefined) {
    const texts = partsOf(part.body, boundary)
      .map(textOf)
      .filter((text) => text.trim() !== "");
    return type === "multipart/alternative" ? (texts[0] ?? "") : texts.join("\n\n");
  }
  if (type === "message/rfc822") return textOf(parse(part.body));
  const encoding = part.header("content-transfer-encoding")?.toLowerCase() ?? "7bit";
  if (!type.startsWith("text") || part.header("content-disposition")?.toLowerCase().startsWith("attachment")) return "";
  const text = decodeBody(part.body, encoding, parameter("charset"));
  return type === "text/html" ? textOfHtml(text) : text;
}

/** The parts between the lines of a boundary; what stands before the first is for programs without MIME. */
function partsOf(body: string, boundary: string): Part[] {
  const pieces = `\n${body}`.split(`\n--${boundary}`).slice(1);
  const end = pieces.findIndex((piece) => piece.startsWith("--"));
  return (end < 0 ? pieces : pieces.slice(0, end)).map((piece) => {
    const own = piece.replace(/^[^\n]*\n/, "");
    return parse(/^\r?\n/.test(own) ? `\n${own}` : own);
  });
}

/** Single spaces, and at most one empty line. */
function tidy(text: string): string {
  return text
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
