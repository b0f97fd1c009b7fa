import assert from "node:assert/strict";
import { test } from "node:test";
import { graphemes } from "../../../src/data/text/normalize/graphemes.ts";
import { lines } from "./reference.ts";

test("graphemes are those of Intl.Segmenter", () => {
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  const check = (text: string) => {
    const expected = Array.from(segmenter.segment(text), ({ segment }) => segment);
    assert.deepEqual([...graphemes(text)], expected, JSON.stringify(text));
  };
  for (const line of lines) check(line);
  for (let point = 0; point < 0x20000; point += 1) {
    if (point < 0xd800 || point > 0xdfff) check(`a${String.fromCodePoint(point).repeat(2)}b`);
  }
});
