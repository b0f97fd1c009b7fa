import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { byteTokenizer, dynamicPad, encodeTexts, tokenizer } from "../../../src/index.ts";
import { lines, pairOf, type Reference, readFixture } from "./reference.ts";

const bert = await tokenizer(readFixture<Reference>("BERT").file);
const pairs = Array.from({ length: 1000 }, (_, i) => pairOf(i));

describe("encodeTexts", () => {
  test("makes examples of texts and labels, which batches take", async () => {
    const examples = await encodeTexts(["the fox", "the lazy dog sleeps"], { tokenizer: bert, labels: [1, 0] });
    assert.deepEqual(examples[0], { tokens: bert.encode("the fox"), label: 1 });
    const batch = dynamicPad(examples, { paddingValue: bert.paddingId });
    assert.deepEqual([...(batch.labels ?? [])], [1, 0]);
    assert.equal(batch.time, bert.encode("the lazy dog sleeps").length);
  });

  test("carries the type ids of pairs into the batch", async () => {
    const examples = await encodeTexts([["the fox", "the dog"]], { tokenizer: bert });
    const { ids, typeIds } = bert.encoding("the fox", { pair: "the dog" });
    assert.deepEqual(examples, [{ tokens: ids, typeIds }]);
    assert.deepEqual(dynamicPad(examples).typeIds, typeIds);
  });

  test("gives the same from threads, in order, and says how far it is", async () => {
    const options = { tokenizer: bert, maxLength: 20 };
    for (const texts of [lines, pairs]) {
      const heard: number[] = [];
      const onProgress = (done: number, total: number) => heard.push(done / total);
      const many = [...texts, ...texts, ...texts];
      const expected = await encodeTexts(many, { ...options, threads: 1 });
      assert.deepEqual(await encodeTexts(many, { ...options, threads: 2, onProgress }), expected);
      assert.equal(heard.length, many.length / 1000);
      assert.equal(heard.at(-1), 1);
    }
  });

  test("ends with an error of a text, and when it is stopped, from threads too", async () => {
    for (const threads of [1, 2]) {
      const options = { tokenizer: bert, threads, maxLength: 1 };
      await assert.rejects(encodeTexts(lines, options), /maxLength must be an integer of at least 2/);
      const stop = new AbortController();
      const onProgress = () => stop.abort();
      await assert.rejects(
        encodeTexts([...lines, ...lines], { tokenizer: bert, threads, onProgress, signal: stop.signal }),
        { name: "AbortError" },
      );
    }
  });

  test("rejects what is no text, by its index", async () => {
    await assert.rejects(encodeTexts(["a", null as never], { tokenizer: bert }), {
      name: "TypeError",
      message: "encodeTexts: text 1 must be a string or a pair of strings, got null",
    });
    await assert.rejects(
      encodeTexts("a" as never, { tokenizer: bert }),
      /expected an array of texts or pairs, got 'a'/,
    );
    await assert.rejects(encodeTexts(["a"], {} as never), /tokenizer must be a tokenizer, such as .*, got undefined/);
    assert.throws(() => bert.encode(5 as never), { message: "a tokenizer encodes a string, got 5" });
  });

  test("rejects labels of another number, and pairs for a tokenizer of bytes", async () => {
    await assert.rejects(
      encodeTexts(["a", "b"], { tokenizer: bert, labels: [1] }),
      /each of the 2 texts, got 1 labels/,
    );
    await assert.rejects(
      encodeTexts(["a", "b"], { tokenizer: bert, labels: [0, Number.NaN] }),
      /^TypeError: encodeTexts: label 1 must be a number, such as the index of a class, got NaN$/,
    );
    await assert.rejects(encodeTexts(["a"], { tokenizer: bert, threads: 0 }), /threads must be a positive integer/);
    const bytes = byteTokenizer();
    await assert.rejects(encodeTexts([["a", "b"]], { tokenizer: bytes }), /the tokenizer bytes encodes no pairs/);
    assert.deepEqual(await encodeTexts(["a"], { tokenizer: bytes }), [{ tokens: Int32Array.of(98) }]);
  });
});
