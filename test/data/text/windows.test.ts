import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { type Encoding, tokenizer } from "../../../src/index.ts";
import { lines, type Reference, readFixture } from "./reference.ts";

interface Case {
  name: string;
  direction: "left" | "right";
  strategy: "longest_first" | "only_first" | "only_second";
  stride: number;
  /** The short text of a pair; null where there is no pair. */
  pair: string | null;
  /** The digests of each line's windows. */
  windows: string[];
}

const digest = ({ ids, typeIds }: Encoding) =>
  createHash("sha256")
    .update([...ids, ...typeIds].join(","))
    .digest("hex")
    .slice(0, 8);

describe("windows", () => {
  // bench/reference/tokenizers/windows.py, with tokenizers 0.23.3.
  for (const { name, direction, strategy, stride, pair, windows: expected } of readFixture<Case[]>("windows")) {
    test(`of ${name}, ${strategy}, ${direction}, stride ${stride}, are those of Python's library`, async () => {
      const { file } = readFixture<Reference>(name);
      const { windows } = await tokenizer({ ...file, truncation: { max_length: 24, strategy, direction, stride } });
      for (const [i, line] of lines.slice(80, 380).entries()) {
        const [text, second] = strategy === "only_second" ? [pair!, line] : [line, pair];
        const found = windows(text, { maxLength: 24, stride, ...(second !== null && { pair: second }) });
        assert.equal(found.map(digest).join(""), expected[i], JSON.stringify(line));
      }
    });
  }

  test("say where in the text they are", async () => {
    const { windows } = await tokenizer(readFixture<Reference>("BERT").file);
    const text = "the fox and the dog ".repeat(5);
    const found = windows(text, { maxLength: 8, stride: 2 });
    for (const [i, { offsets }] of found.slice(1).entries()) {
      const before = found[i]!.offsets;
      // The first token after [CLS] is the second to last one before [SEP].
      assert.equal(offsets[2], before[2 * 5]);
    }
  });

  test("reject a stride that leaves no new token, and pairs of which both texts are cut", async () => {
    const { windows } = await tokenizer(readFixture<Reference>("BERT").file);
    const text = "the fox and the dog ".repeat(5);
    assert.throws(() => windows(text, { maxLength: 8, stride: 6 }), /stride must be from 0 to 5, below the 6 tokens/);
    assert.throws(() => windows(text, { maxLength: 8, pair: text }), /need the truncation "onlyFirst" or "onlySecond"/);
  });
});
