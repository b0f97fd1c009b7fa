import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { byteTokenizer, tokenizer } from "../../../src/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { HubServer } from "../hub/hub-server.ts";
import { type Reference, readFixture } from "./reference.ts";

describe("tokenizer", () => {
  const { file } = readFixture<Reference>("RoBERTa");
  const config = { model_max_length: 512, pad_token: { content: "<pad>" }, truncation_side: "left" };
  const text = "The quick brown fox jumps over the lazy dog";
  const folder = temporaryFolder();

  test("reads a file, and a folder with what its tokenizer_config.json says", async () => {
    writeFileSync(path.join(folder, "tokenizer.json"), JSON.stringify(file));
    const ofFile = await tokenizer(path.join(folder, "tokenizer.json"));
    assert.equal(ofFile.config.modelMaxLength, undefined);
    writeFileSync(path.join(folder, "tokenizer_config.json"), JSON.stringify(config));
    const ofFolder = await tokenizer(folder);
    assert.deepEqual(ofFolder.encode(text), ofFile.encode(text));
    assert.equal(ofFolder.config.modelMaxLength, 512);
    assert.equal(ofFolder.paddingId, ofFolder.idOf("<pad>"));
    const whole = [...ofFolder.encode(text)];
    assert.deepEqual([...ofFolder.encode(text, { maxLength: 6 })], [whole[0], ...whole.slice(-5)]);
  });

  test("downloads the tokenizer of a model on the hub", async () => {
    const server = await new HubServer("acme/tiny-roberta", {
      "config.json": { contents: Buffer.from("{}") },
      "tokenizer.json": { contents: Buffer.from(JSON.stringify(file)) },
    }).listen();
    const loaded = await tokenizer("acme/tiny-roberta", { endpoint: server.endpoint, cacheFolder: folder });
    assert.deepEqual(loaded.encode(text), (await tokenizer(file)).encode(text));
    assert.ok(!server.requests.some(({ path }) => path.endsWith("/config.json")));
    await server.close();
  });

  test("names the value of a file that is not of its kind", async () => {
    const model = { type: "WordLevel", vocab: { a: 1, "[UNK]": 0 }, unk_token: "[UNK]" };
    const bpe = { type: "BPE", vocab: { a: 0, b: 1 }, unk_token: "a" };
    const cases: [object, RegExp][] = [
      [{ model: "BPE" }, /expected a tokenizer.json with a model and a vocabulary/],
      [
        { model: { ...model, vocab: { "[UNK]": 0, a: -1 } } },
        /an invalid id of the token a: expected a small integer, got -1/,
      ],
      [{ model: { ...model, vocab: { "[UNK]": 0, a: 4e9 } } }, /an invalid id of the token a: .* got 4000000000/],
      [{ model: { ...bpe, merges: ["a"] } }, /an invalid merge "a": expected two tokens/],
      [{ model: { ...bpe, merges: [1] } }, /an invalid merge 1: expected two tokens/],
      [
        { model: { type: "Unigram", vocab: [["a"]] } },
        /an invalid vocab.0: expected a token and its score, got \["a"\]/,
      ],
      [{ model: { type: "Unigram", vocab: [["a", -1]], unk_id: 5 } }, /the unk_id 5: its vocabulary has 1 tokens/],
      [{ model, added_tokens: [{ content: "x" }] }, /an invalid added_tokens.0.id: /],
      [{ model, added_tokens: {} }, /an invalid added_tokens: .*Expected Array/],
      [{ model, normalizer: "Lowercase" }, /an invalid normalizer: .*received "Lowercase"/],
      [{ model, normalizer: { type: "Replace", pattern: { Regex: "(" }, content: "" } }, /the pattern {"Regex":"\("}/],
      [{ model, pre_tokenizer: { type: "Sequence", pretokenizers: {} } }, /an invalid pretokenizers of a Sequence/],
      [{ model, post_processor: { type: "BertProcessing" } }, /the post-processor BertProcessing: it has no cls/],
      [{ model, truncation: { max_length: "x" } }, /an invalid truncation.max_length: .*received "x"/],
      [{ model, truncation: { max_length: 4, strategy: "middle" } }, /the truncation "middle": it is not supported/],
      [{ model, padding: { pad_id: "x" } }, /an invalid padding.pad_id: /],
    ];
    for (const [contents, message] of cases)
      await assert.rejects(tokenizer(contents as never), { name: "TypeError", message });
  });

  test("refuses texts, options and ids that cannot be meant", async () => {
    const { encode, decode, windows } = await tokenizer(file);
    assert.throws(() => encode(text, { pair: null as never }), { message: "a tokenizer encodes a string, got null" });
    assert.throws(() => encode(text, { truncation: "longest_first" as never }), {
      message: "truncation must be one of longestFirst, onlyFirst, onlySecond, got 'longest_first'",
    });
    for (const maxLength of [1.5, Number.NaN, "8" as never])
      assert.throws(() => encode(text, { maxLength }), { message: /^maxLength must be an integer of at least 2, / });
    assert.throws(() => windows(text, { maxLength: 2 }), { message: /^windows need a maxLength above 2, / });
    assert.throws(() => decode([1.5]), { message: /^id 1.5 at position 0 is outside the vocabulary/ });
    assert.throws(() => byteTokenizer().encode("abc", { maxLength: -1 }), {
      message: /integer of at least 0, got -1$/,
    });
  });

  test("says what is missing", async () => {
    await assert.rejects(tokenizer("./no/such/folder"), /\.\/no\/such\/folder: no such file or folder/);
    const empty = temporaryFolder();
    await assert.rejects(tokenizer(empty), /has no tokenizer.json: in Python, .+save_pretrained\(folder\) writes one/);
    writeFileSync(path.join(empty, "tokenizer.json"), "{");
    await assert.rejects(tokenizer(empty), /tokenizer.json is not a JSON file/);
    writeFileSync(path.join(empty, "tokenizer.json"), "version https://git-lfs.github.com/spec/v1\n");
    await assert.rejects(tokenizer(empty), /tokenizer.json is not a JSON file: it is a pointer of Git LFS/);
    writeFileSync(path.join(empty, "tokenizer.json"), JSON.stringify(file));
    writeFileSync(path.join(empty, "tokenizer_config.json"), "null");
    await assert.rejects(tokenizer(empty), /tokenizer_config.json is not a JSON object$/);
    await assert.rejects(tokenizer("pip:some-model"), /is the source of a model: give .* found, model.folder$/);
  });
});
