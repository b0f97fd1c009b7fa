import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { byteTokenizer, characterTokenizer, languageSnippets, tokenizer, trainBpe } from "../../src/data/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("bytes", () => {
  test("have one id each, after the padding's", () => {
    const { encode, decode, size } = byteTokenizer();
    assert.deepEqual([...encode("aé")], [97 + 1, 0xc3 + 1, 0xa9 + 1]);
    assert.equal(size, 257);
    assert.equal(decode([98, 0, 0]), "a");
    assert.throws(() => decode([98, 257]), /id 257 at position 1 is outside the vocabulary \(size 257\)/);
  });
});

describe("characters", () => {
  test("get ids in order of frequency; other characters are unknown", () => {
    const { encode, decode, size } = characterTokenizer(["banana", "😀"]);
    assert.deepEqual([...encode("ban😀z")], [4, 2, 3, 5, 1]);
    assert.equal(size, 6);
    assert.equal(decode([4, 2, 1, 0]), "ba\ufffd");
  });

  test("can be limited in number", () => {
    assert.deepEqual([...characterTokenizer(["banana"], { size: 4 }).encode("ban")], [1, 2, 3]);
    assert.throws(() => characterTokenizer([""]), /a corpus with at least one character/);
    assert.throws(() => characterTokenizer(["a"], { size: 2 }), /at least 3.*got 2/);
  });
});

describe("byte-pair encoding", () => {
  // Sennrich et al. 2016, section 3.2, each word with the space that GPT-2 puts before it.
  const corpus = [" low".repeat(5), " lower".repeat(2), " newest".repeat(6), " widest".repeat(3)];

  test("merges the most frequent pair, the first one of equally frequent pairs", () => {
    // By hand: "e s" 9, then "es t" 9, then "Ġ n" and what follows it in newest 6 times, as "l o" and "o w" are 7.
    const merges = trainBpe(corpus, { size: 257 + 5 }).file.model.merges as [string, string][];
    assert.deepEqual(merges.slice(0, 2), [
      ["e", "s"],
      ["es", "t"],
    ]);
    assert.deepEqual(merges.slice(2, 4), [
      ["l", "o"],
      ["lo", "w"],
    ]);
  });

  test("encodes by its merges and decodes to the same text", () => {
    const { encode, decode, size } = trainBpe(corpus, { size: 400 });
    assert.equal(encode(" newest").length, 1);
    assert.ok(encode(" lowest").length <= 2);
    assert.ok(size < 400, "no pair is left that occurs twice");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const ids = encode(text);
        assert.ok(ids.every((id) => id > 0 && id < size));
        assert.equal(decode(ids), text);
      }),
    );
    assert.equal(decode(encode("<pad> is text here")), "<pad> is text here");
  });

  test("can be saved as a tokenizer.json", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "tokenizer.json");
    const made = trainBpe(corpus, { size: 300 });
    writeFileSync(path, JSON.stringify(made.file));
    assert.deepEqual((await tokenizer(path)).encode("the newest one"), made.encode("the newest one"));
  });

  test("lowercases a capital sigma as Python's library does, also at the end of a word", async () => {
    const { file } = trainBpe(["ab"], { size: 258 });
    // tokenizers 0.23.3: Lowercase().normalize_str("ΑΣ ΟΔΥΣ") and BertNormalizer()'s are "ασ οδυσ".
    for (const normalizer of [
      { type: "Lowercase" },
      { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    ]) {
      const { encode, decode } = await tokenizer({ ...file, normalizer });
      assert.equal(decode(encode("ΑΣ ΟΔΥΣ")), "ασ οδυσ");
    }
  });

  test("encodes source code in fewer than half as many tokens as bytes", () => {
    const texts = languageSnippets({ count: 500, seed: 1 }).map(({ text }) => text);
    const { encode } = trainBpe(texts, { size: 1000 });
    const tokens = texts.reduce((sum, text) => sum + encode(text).length, 0);
    assert.ok(tokens < 0.5 * Buffer.byteLength(texts.join("")));
  });

  test("rejects a size too small for all bytes, and an empty corpus", () => {
    assert.throws(() => trainBpe(corpus, { size: 257 }), /at least 258.*got 257/);
    assert.throws(() => trainBpe([], { size: 300 }), /a corpus with at least one character/);
  });
});

describe("languageSnippets", () => {
  const options = { count: 100, seed: 7, minLength: 20, maxLength: 300 };
  const snippets = languageSnippets(options);

  test("gives the same number of distinct snippets of each language, within the lengths", () => {
    const counts = new Map<string, number>();
    for (const { text, language } of snippets) {
      assert.ok(text.length >= 20 && text.length <= 300);
      counts.set(language, (counts.get(language) ?? 0) + 1);
    }
    assert.deepEqual([...counts.values()], [20, 20, 20, 20, 20]);
    assert.equal(new Set(snippets.map(({ text }) => text)).size, 100);
  });

  test("gives the same snippets for the same seed, with their source and licence", () => {
    assert.deepEqual(languageSnippets(options), snippets);
    assert.notDeepEqual(languageSnippets({ ...options, seed: 8 }), snippets);
    for (const { source } of snippets) {
      assert.match(source.package, /^.+@\d/);
      assert.notEqual(source.license, "unknown", source.package);
    }
  });

  test("has a longest snippet many times longer than the median", () => {
    const lengths = languageSnippets({ count: 500, seed: 1 })
      .map(({ text }) => text.length)
      .sort((a, b) => a - b);
    assert.ok(lengths[475]! > 3 * lengths[250]!);
  });

  test("rejects more snippets than the packages contain", () => {
    const packages = [new URL("../../../node_modules/valibot", import.meta.url).pathname];
    assert.throws(
      () => languageSnippets({ count: 10, seed: 1, languages: ["c++"], packages }),
      /found 0 of 10 snippets of c\+\+ in 0 files/,
    );
    assert.throws(() => languageSnippets({ count: 7, seed: 1 }), /multiple of the 5 languages, got 7/);
    assert.throws(
      () => languageSnippets({ count: 1, seed: 1, languages: ["cobol" as never] }),
      /unknown language cobol/,
    );
    assert.throws(() => languageSnippets({ ...options, minLength: 400 }), /minLength 400 is above maxLength 300/);
  });
});
