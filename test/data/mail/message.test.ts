import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mailText } from "../../../src/data/mail/message.ts";

const read = (...lines: string[]) => mailText(Buffer.from(lines.join("\n"), "latin1"));

describe("mailText", () => {
  test("gives the subject and the body of a plain message", () => {
    const found = read(
      "From a@b Mon Jun 24",
      "Subject: Two",
      "  lines",
      "To: x@y",
      "",
      "Hello,",
      "",
      "",
      "",
      "world ",
      "",
    );
    assert.deepEqual(found, { subject: "Two lines", body: "Hello,\n\nworld" });
  });

  test("decodes transfer encodings, character sets and encoded words", () => {
    const found = read(
      "Subject: =?utf-8?Q?caf=C3=A9_?= =?iso-8859-1?B?6Q==?=",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "soft =",
      "break =E2=82=AC",
    );
    assert.deepEqual(found, { subject: "café é", body: "soft break €" });
    const base64 = read("Content-Transfer-Encoding: base64", "", Buffer.from("hello").toString("base64"));
    assert.equal(base64.body, "hello");
    assert.equal(read("Content-Type: text/plain; charset=unheard-of", "", "\xe9\x80").body, "é€");
  });

  test("takes the plain text of alternatives, and leaves attachments out", () => {
    const found = read(
      'Content-Type: multipart/mixed; boundary="out"',
      "",
      "for old programs",
      "--out",
      "Content-Type: multipart/alternative; boundary=in",
      "",
      "--in",
      "Content-Type: text/plain",
      "",
      "plain",
      "--in",
      "Content-Type: text/html",
      "",
      "<b>rich</b>",
      "--in--",
      "--out",
      "Content-Type: application/pdf",
      "",
      "JVBERi0=",
      "--out",
      "",
      "a part without a header",
      "--out--",
      "after",
    );
    assert.equal(found.body, "plain\n\na part without a header");
  });

  test("reads the text of a page", () => {
    const page =
      "<html><head><title>t</title></head><style>p{}</style><p>1 &lt; 2 &amp; caf&#233;<br>x<!-- no --> y &unknown;</p>";
    assert.equal(read("Content-Type: text/html", "", page).body, "1 < 2 & café\nx y &unknown;");
  });
});
