import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  bpeTokenizer,
  byteTokenizer,
  characterTokenizer,
  collect,
  encodeRecords,
  languageSnippets,
  type TokenizerFile,
  trainBpe,
} from "../../src/data/index.ts";

interface Reference {
  name: string;
  file: TokenizerFile;
  ids: number[][];
  decoded: string[];
}
const reference = JSON.parse(
  readFileSync(new URL("../../../test/data/fixtures/tokenizers.json", import.meta.url), "utf8"),
) as { texts: string[]; cases: Reference[] };

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
    const { merges } = trainBpe(corpus, { size: 257 + 5 }).file.model;
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

  test("can be saved as a tokenizer.json", () => {
    const folder = mkdtempSync(join(tmpdir(), "halftone-bpe-"));
    const path = join(folder, "tokenizer.json");
    const made = trainBpe(corpus, { size: 300 });
    writeFileSync(path, JSON.stringify(made.file));
    assert.deepEqual(bpeTokenizer(path).encode("the newest one"), made.encode("the newest one"));
    rmSync(folder, { recursive: true });
  });

  test("gives the ids and texts of Python's tokenizers library, special tokens and truncation included", () => {
    // bench/reference/tokenizers_ids.py, with tokenizers 0.23.3.
    const refused = new Set(["Unigram", "WordLevel"]);
    for (const { name, file, ids, decoded } of reference.cases) {
      if (refused.has(name)) {
        const message = `unsupported tokenizer.json with a model of type ${name}: bpeTokenizer reads BPE and WordPiece`;
        assert.throws(() => bpeTokenizer(file), { name: "TypeError", message });
        continue;
      }
      const tokenizer = bpeTokenizer(file);
      for (const [i, text] of reference.texts.entries()) {
        assert.deepEqual([...tokenizer.encode(text)], ids[i], `${name}: ${JSON.stringify(text)}`);
        // JavaScript's TextDecoder leaves out a byte order mark.
        const expected = name === "Llama 2" ? decoded[i]!.replace("\ufeff", "") : decoded[i];
        assert.equal(tokenizer.decode(ids[i]!), expected, `${name}: ${JSON.stringify(text)}`);
      }
      assert.ok(tokenizer.size > Math.max(...ids.flat()), name);
    }
  });

  test("lowercases a capital sigma as Python's library does, also at the end of a word", () => {
    const { file } = trainBpe(["ab"], { size: 258 });
    // tokenizers 0.23.3: Lowercase().normalize_str("ΑΣ ΟΔΥΣ") and BertNormalizer()'s are "ασ οδυσ".
    for (const normalizer of [
      { type: "Lowercase" },
      { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    ]) {
      const tokenizer = bpeTokenizer({ ...file, normalizer });
      assert.equal(tokenizer.decode(tokenizer.encode("ΑΣ ΟΔΥΣ")), "ασ οδυσ");
    }
  });

  test("truncates a text to maxLength and keeps its special tokens, as Python's library does", async () => {
    const [whole, cut] = ["BERT", "BERT, at most 8 tokens"].map(
      (wanted) => reference.cases.find(({ name }) => name === wanted)!,
    ) as [Reference, Reference];
    const tokenizer = bpeTokenizer(whole.file);
    assert.equal(tokenizer.name, "WordPiece");
    for (const [i, text] of reference.texts.entries()) {
      const records = [{ text: text || " " }];
      const [example] = await collect(encodeRecords(records, { tokenizer, maxLength: 8 }));
      assert.deepEqual([...tokenizer.encode(text, { maxLength: 8 })].length, Math.min(8, whole.ids[i]!.length));
      if (text) assert.equal(example!.tokens.at(-1), whole.ids[i]!.at(-1));
    }
    assert.deepEqual([...bpeTokenizer(cut.file).encode(reference.texts[3]!, { maxLength: 100 })], cut.ids[3]);
    assert.throws(
      () => tokenizer.encode("hello", { maxLength: 1 }),
      /maxLength must be at least 2, the number of special tokens of this tokenizer, got 1/,
    );
  });

  test("rejects a file with a component whose ids would differ from Python's", () => {
    const { file } = reference.cases.find(({ name }) => name === "end-of-word BPE")!;
    const bpe = file.model;
    for (const [change, message] of [
      [{ pre_tokenizer: { type: "UnicodeScripts" } }, /the pre-tokenizer UnicodeScripts/],
      [{ pre_tokenizer: { type: "Punctuation", behavior: "Removed" } }, /Punctuation with Removed/],
      [{ normalizer: { type: "Sequence", normalizers: [{ type: "Nmt" }] } }, /the normalizer Nmt/],
      [{ post_processor: { type: "Other" } }, /the post-processor Other/],
      [{ model: { ...bpe, continuing_subword_prefix: "##" } }, /the continuing_subword_prefix ##/],
      [{ model: { ...bpe, dropout: 0.1 } }, /a dropout of 0.1: its ids are drawn at random/],
      [{ model: { ...bpe, unk_token: null } }, /no unk_token/],
      [{ model: { ...bpe, fuse_unk: true } }, /fuse_unk beside a pre-tokenizer/],
      [{ added_tokens: [{ id: 300, content: "fox", single_word: true }] }, /the added token fox with single_word/],
    ] as const)
      assert.throws(() => bpeTokenizer({ ...file, ...change } as TokenizerFile), message);
    assert.throws(() => bpeTokenizer({} as TokenizerFile), /expected a tokenizer.json with a model and a vocabulary/);
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
    assert.throws(() => bpeTokenizer({} as never), /expected a tokenizer.json with a model and a vocabulary/);
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
