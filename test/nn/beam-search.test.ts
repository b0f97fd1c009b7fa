import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { dynamicPad } from "../../src/batching/index.ts";
import {
  type Decoding,
  type GenerateOptions,
  type GenerativeModel,
  generate,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/nn/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import { parameterList } from "../../src/tensor/index.ts";

await ready();

interface Fixture {
  vocabulary: number;
  /** `[vocabulary, vocabulary, vocabulary]`: of the token after two others. */
  logits: number[];
  prompts: number[][];
  cases: { options: GenerateOptions; tokens: number[][] }[];
}
const fixture = JSON.parse(
  readFileSync(new URL("../../../test/nn/fixtures/beam-search.json", import.meta.url), "utf8"),
) as Fixture;

/** A model that looks its logits up in the fixture's table. */
function tableModel({ vocabulary, logits }: Fixture): GenerativeModel {
  const startDecoding = (_: object, prompts: readonly ArrayLike<number>[]): Decoding => {
    let sequences = prompts.map((prompt) => Array.from(prompt));
    return {
      next: (tokens) => {
        if (tokens) sequences = sequences.map((sequence, row) => [...sequence, tokens[row]!]);
        const rows = sequences.map((sequence) => {
          const start = (sequence.at(-2)! * vocabulary + sequence.at(-1)!) * vocabulary;
          return logits.slice(start, start + vocabulary);
        });
        return tf.tensor2d(rows);
      },
      select: (rows) => {
        sequences = rows.map((row) => sequences[row]!);
      },
      dispose: () => {},
    };
  };
  return { parameters: {}, startDecoding };
}

/** Larger weights than the initial ones, so that the tokens vary. */
function sharpened<M extends { parameters: object }>(model: M): M {
  for (const { variable } of parameterList(model.parameters)) variable.assign(tf.tidy(() => tf.mul(variable, 4)));
  return model;
}

describe("a beam search", () => {
  const vocabularySize = 4;
  const sizes = { maxLength: 12, features: 16, heads: 2, layers: 2 };
  const model = sharpened(
    transformerLanguageModel({ ...sizes, vocabularySize, keyValueHeads: 1, positions: "rotary" }),
  );
  const prompts = [[0, 1, 2], [3], [2, 2]];

  test("gives the sequences of HuggingFace's transformers", async () => {
    const table = tableModel(fixture);
    for (const { options, tokens } of fixture.cases)
      assert.deepEqual(await generate(table, fixture.prompts, options), tokens, JSON.stringify(options));
  });

  test("that is as wide as the tree finds the best of all sequences", async () => {
    const [depth, stop] = [3, 3];
    /** The sum of the log probabilities of `tokens` after the prompt. */
    const logProbability = (prompt: number[], tokens: number[]) =>
      tf.tidy(() => {
        const logits = model.apply(model.parameters, dynamicPad([[...prompt, ...tokens]]));
        const all = tf.logSoftmax(tf.reshape(logits, [-1, vocabularySize])).arraySync() as number[][];
        return tokens.reduce((sum, token, t) => sum + all[prompt.length - 1 + t]![token]!, 0);
      });
    const sequences = (length: number): number[][] =>
      length === 0
        ? [[]]
        : sequences(length - 1).flatMap((start) =>
            start.includes(stop) ? [start] : [...Array(vocabularySize).keys()].map((token) => [...start, token]),
          );
    const beams = sequences(depth).length;
    for (const lengthPenalty of [0, 1, 3]) {
      const expected = prompts.map((prompt) => {
        const scores = sequences(depth).map((tokens) => ({
          tokens: tokens.filter((token) => token !== stop),
          score: logProbability(prompt, tokens) / tokens.length ** lengthPenalty,
        }));
        return scores.reduce((best, each) => (each.score > best.score ? each : best)).tokens;
      });
      for (const cache of [true, false]) {
        const options = { beams, lengthPenalty, maxNewTokens: depth, stopTokens: [stop], cache };
        assert.deepEqual(await generate(model, prompts, options), expected);
      }
    }
  });

  test("of a few beams gives the same with a cache, without, and for a prompt alone", async () => {
    const seq2seq = sharpened(
      transformerSeq2Seq({ ...sizes, sourceVocabularySize: 9, targetVocabularySize: 7, startToken: 1 }),
    );
    const sources = [[3, 4, 5], [6], [7, 8, 2, 1]];
    for (const [of, given] of [
      [model, prompts],
      [seq2seq, sources],
    ] as [GenerativeModel, number[][]][]) {
      const options = { beams: 3, maxNewTokens: 8, stopTokens: [0] };
      const all = await generate(of, given, options);
      assert.deepEqual(await generate(of, given, { ...options, cache: false }), all);
      for (const [i, prompt] of given.entries()) assert.deepEqual(await generate(of, [prompt], options), [all[i]]);
      const { live } = nativeMemory();
      await generate(of, given, options);
      assert.ok(nativeMemory().live <= live);
    }
  });

  test("ends with its best sequence so far when it is aborted", async () => {
    assert.deepEqual(await generate(model, prompts, { beams: 2, maxNewTokens: 4, signal: AbortSignal.abort() }), [
      [],
      [],
      [],
    ]);
  });

  test("refuses options that it cannot use, in one sentence", async () => {
    const refused = (options: object, name: string, message: string) =>
      assert.rejects(generate(model, prompts, { maxNewTokens: 2, ...options }), { name, message });
    await refused({ beams: 0 }, "RangeError", "generate: beams must be a positive integer, got 0");
    await refused(
      { beams: 2, lengthPenalty: Number.NaN },
      "RangeError",
      "generate: lengthPenalty must be a finite number, got NaN",
    );
    await refused({ lengthPenalty: 1 }, "TypeError", "generate: lengthPenalty needs beams of at least 2");
    await refused(
      { beams: 4, topK: 3 },
      "TypeError",
      "generate: a search with 4 beams does not sample: leave out beams or topK",
    );
    await refused(
      { beams: 4, onToken: () => {} },
      "TypeError",
      "generate: a search with 4 beams knows its tokens at the end only: leave out onToken",
    );
  });
});
