import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { murmur2 } from "../../kernel/debug/murmur2.ts";

const oracle = new URL("../../../test/debug/fixtures/jupyterlab-hash.js", import.meta.url).href;
const { murmur2: ofJupyterLab } = (await import(oracle)) as { murmur2: (text: string, seed: number) => number };

const cells = [
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "x\r\ny\r\n",
  "const emoji = '😀 👩‍👩‍👧';",
  "const ü: string = 'ß';\n",
  "\u{10ffff}",
];

test("the hash of a cell is JupyterLab's, on 100 cells with emoji, CRLF and none at all", () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 200 });
  for (const text of [...cells, ...fc.sample(cell, { numRuns: 100 - cells.length, seed: 19 })])
    for (const seed of [0, 1, 0xc70f6907])
      assert.equal(murmur2(text, seed), ofJupyterLab(text, seed), JSON.stringify(text));
});
