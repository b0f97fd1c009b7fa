import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type TruncationStrategy, tokenizer } from "../../../src/index.ts";
import { digest, digestsOf, lines, pairOf, type Reference, readFixture } from "./reference.ts";

// The expected values are those of Python's tokenizers 0.23.3: bench/reference/tokenizers/ids.py.
const KINDS = [
  "BERT",
  "BERT, cased",
  "GPT-2",
  "RoBERTa",
  "Llama 2",
  "Llama 3",
  "XLM-R",
  "end-of-word BPE",
  "WordLevel",
];
const STRATEGIES: Record<string, TruncationStrategy> = {
  longest_first: "longestFirst",
  only_first: "onlyFirst",
  only_second: "onlySecond",
};

for (const kind of KINDS) {
  describe(`a tokenizer of the kind ${kind}`, () => {
    const reference = readFixture<Reference>(kind);
    const loaded = tokenizer(reference.file);

    test("gives the ids, type ids and offsets of Python's library for 2,000 lines", async () => {
      const { encoding } = await loaded;
      for (const [i, expected] of reference.single.entries()) {
        const { ids, typeIds, offsets } = encoding(lines[i]!);
        const found = { ids: [...ids], typeIds: [...typeIds], offsets: [...offsets] };
        assert.deepEqual(found, expected, JSON.stringify(lines[i]));
      }
      for (const [i, expected] of digestsOf(reference.digests).entries()) {
        assert.equal(digest(encoding(lines[i]!)), expected, JSON.stringify(lines[i]));
      }
    });

    test("gives the same ids when no offsets are asked for, with and without special tokens", async () => {
      const { encode, encoding } = await loaded;
      for (const line of lines) assert.deepEqual(encode(line), encoding(line).ids);
      for (const [i, expected] of reference.plain.entries()) {
        assert.deepEqual([...encode(lines[i]!, { addSpecialTokens: false })], expected);
      }
    });

    test("encodes pairs as Python's library does", async () => {
      const { encoding } = await loaded;
      for (const [i, expected] of digestsOf(reference.pairs).entries()) {
        const [text, pair] = pairOf(i);
        assert.equal(digest(encoding(text, { pair })), expected, JSON.stringify([text, pair]));
      }
    });

    test("truncates pairs as Python's library does, by each strategy and at each end", async () => {
      for (const { strategy, direction, results } of reference.truncated) {
        const truncation = { max_length: 16, strategy, direction, stride: 0 };
        const { encoding } = await tokenizer({ ...reference.file, truncation });
        const plain = await loaded;
        for (const [i, expected] of results.entries()) {
          const [text, pair] = pairOf(i);
          if (expected === "") {
            assert.throws(() => encoding(text, { pair }), /the truncation only(First|Second) shortens a text of/);
          } else {
            assert.equal(digest(encoding(text, { pair })), expected);
            if (direction === "left") continue;
            const options = { pair, maxLength: 16, truncation: STRATEGIES[strategy]! };
            assert.equal(digest(plain.encoding(text, options)), expected);
          }
        }
      }
    });

    test("decodes to the texts of Python's library", async () => {
      const { decode } = await loaded;
      for (const [i, { ids }] of reference.single.entries()) {
        assert.equal(decode(ids), reference.decoded[i]);
        assert.equal(decode(ids, { skipSpecialTokens: false }), reference.decodedWhole[i]);
      }
    });
  });
}

describe("the parts of a tokenizer.json", () => {
  for (const { file, digests } of readFixture<Reference[]>("parts")) {
    test(`gives the tokens and offsets of Python's library with ${JSON.stringify(file.normalizer ?? file.pre_tokenizer)}`, async () => {
      const { encoding } = await tokenizer(file);
      for (const [i, expected] of digestsOf(digests).entries()) {
        assert.equal(digest(encoding(lines[i]!)), expected, JSON.stringify(lines[i]));
      }
    });
  }

  test("are refused by name when they are not known", async () => {
    const { file } = readFixture<Reference>("end-of-word BPE");
    const bpe = file.model;
    for (const [change, message] of [
      [{ pre_tokenizer: { type: "UnicodeScripts" } }, /the pre-tokenizer UnicodeScripts/],
      [{ pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Odd" } }, /Split with the behavior Odd/],
      [{ normalizer: { type: "Sequence", normalizers: [{ type: "Other" }] } }, /the normalizer Other/],
      [{ post_processor: { type: "Other" } }, /the post-processor Other/],
      [{ decoder: { type: "Other" } }, /the decoder Other/],
      [{ model: { type: "Other" } }, /a model of type Other: BPE, Unigram, WordLevel and WordPiece are supported/],
      [{ model: { ...bpe, dropout: 0.1 } }, /a dropout of 0.1: its ids are drawn at random/],
      [{ model: { ...bpe, unk_token: null } }, /no unk_token/],
      [{ model: { ...bpe, merges: ["q q9"] } }, /the merge q q9: the vocabulary has not all of its tokens/],
    ] as const) {
      await assert.rejects(tokenizer({ ...file, ...change }), message);
    }
    await assert.rejects(tokenizer({} as never), /expected a tokenizer.json with a model and a vocabulary/);
  });
});

describe("an encoding", () => {
  const bert = tokenizer(readFixture<Reference>("BERT").file);

  test("says which part of the text each token stands for, through normalization", async () => {
    const { encoding, tokenOf } = await bert;
    const text = "É\u0301té 👍🏽 A 你";
    const { ids, offsets, specialTokens, sequences } = encoding(text);
    const parts = Array.from(ids, (_, i) => text.slice(offsets[2 * i], offsets[2 * i + 1]));
    assert.deepEqual(parts, ["", "É", "t", "é", "👍", "🏽", "A", "你", ""]);
    assert.deepEqual([tokenOf(ids[0]!), tokenOf(ids.at(-1)!)], ["[CLS]", "[SEP]"]);
    assert.deepEqual([specialTokens[0], specialTokens[1], specialTokens.at(-1)], [1, 0, 1]);
    assert.deepEqual([sequences[0], sequences[1], sequences.at(-1)], [-1, 0, -1]);
  });

  test("has the special tokens within maxLength", async () => {
    const { encode } = await bert;
    assert.deepEqual(encode("the quick brown fox", { maxLength: 4 }).length, 4);
    assert.throws(
      () => encode("hello", { maxLength: 1 }),
      /maxLength must be an integer of at least 2, the number of special tokens of this tokenizer, got 1/,
    );
    assert.throws(
      () => encode("the quick brown fox", { maxLength: 4, truncation: "onlySecond" }),
      /the truncation onlySecond shortens the second text, and there is no pair/,
    );
  });

  test("keeps maxLength tokens where the file truncates earlier", async () => {
    const { file } = readFixture<Reference>("BERT");
    const truncation = { max_length: 4, strategy: "LongestFirst", direction: "Right", stride: 0 };
    const { encode } = await tokenizer({ ...file, truncation });
    assert.deepEqual(encode("a b c d e f").length, 4);
    assert.deepEqual(encode("a b c d e f", { maxLength: 7 }).length, 7);
  });

  test("finds ids by token and removes spaces before punctuation on request", async () => {
    const { idOf, tokenOf, encode, decode, size, paddingId } = await bert;
    assert.equal(tokenOf(idOf("[MASK]")!), "[MASK]");
    assert.equal(idOf("no such token"), undefined);
    assert.equal(paddingId, idOf("[PAD]"));
    assert.equal(decode([...encode("the fox, the dog."), paddingId, paddingId]), "the fox, the dog.");
    assert.throws(() => decode([size]), /is outside the vocabulary/);
  });
});
