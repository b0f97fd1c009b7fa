import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { dynamicPad, fixedPad, pack } from "../../src/batching/index.ts";
import {
  generate,
  generateStream,
  type LanguageModelConfig,
  linear,
  transformerLanguageModel,
  transformerSeq2Seq,
} from "../../src/nn/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import { parameterList } from "../../src/tensor/index.ts";

await ready();
const chosen = tf.getBackend();

/** Larger weights than the initial ones, so that the tokens vary. */
function sharpened<M extends { parameters: object }>(model: M): M {
  for (const { variable } of parameterList(model.parameters)) variable.assign(tf.tidy(() => tf.mul(variable, 6)));
  return model;
}

const sizes = { vocabularySize: 20, maxLength: 24, features: 16, heads: 4, layers: 2, dropout: 0.1 };
const shapes: Record<string, Partial<LanguageModelConfig>> = {
  "as GPT-2": {},
  "with sines": { positions: "sinusoidal" },
  "as Llama": {
    ...{ keyValueHeads: 2, norm: "rmsNorm", activation: "swiGLU", positions: "rotary", bias: false, tied: false },
  },
};
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]];
/** Garbage collection may have freed what earlier tests left. */
const assertNoMoreThan = (bytes: number): void => {
  const { live } = nativeMemory();
  assert.ok(live <= bytes, `${live} bytes are live, ${bytes} before`);
};
const distance = (a: Tensor, b: Tensor): number => tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!);

for (const [shape, options] of Object.entries(shapes))
  describe(`a language model ${shape}`, () => {
    const model = sharpened(transformerLanguageModel({ ...sizes, ...options, seed: 1 }));
    const logits = (batch: Parameters<typeof model.apply>[1]) =>
      tf.reshape(model.apply(model.parameters, batch), [batch.rows * batch.time, 20]);
    const alone = tf.concat(prompts.map((prompt) => logits(dynamicPad([prompt]))));

    test("gives a sequence the same logits alone, padded on either side, and packed with others", () => {
      assert.ok(distance(logits(pack(prompts, { maxLength: 9, algorithm: "first-fit" })), alone) < 2e-5);
      for (const side of ["left", "right"] as const) {
        const batch = fixedPad(prompts, { maxLength: 8, side });
        const tokens = [...batch.mask.keys()].filter((at) => batch.mask[at]);
        assert.ok(distance(tf.gather(logits(batch), tokens), alone) < 2e-5, side);
      }
    });

    test("does not see later tokens", () => {
      const [a, b] = [
        [1, 2, 3, 4, 5],
        [1, 2, 3, 9, 0],
      ].map((ids) => logits(dynamicPad([ids]))) as [Tensor, Tensor];
      assert.equal(distance(tf.slice(a, 0, 3), tf.slice(b, 0, 3)), 0);
    });

    test("generates the same tokens with a cache, without, and for a prompt alone", async () => {
      const options = { maxNewTokens: 12 };
      const cached = await generate(model, prompts, options);
      assert.deepEqual(
        cached.map(({ length }) => length),
        [12, 12, 12],
      );
      assert.deepEqual(await generate(model, prompts, { ...options, cache: false }), cached);
      assert.deepEqual(await generate(model, [prompts[0]!], options), [cached[0]]);
      const whole = logits(dynamicPad([[...prompts[1]!, ...cached[1]!]]));
      const likeliest = [...tf.argMax(whole, -1).dataSync()];
      assert.deepEqual(likeliest.slice(0, 12), cached[1]);
    });

    test("has the same logits with a cache and without", () => {
      const [cached, whole] = [true, false].map((cache) => model.startDecoding(model.parameters, prompts, { cache }));
      let tokens: number[] | undefined;
      for (let step = 0; step < 5; step++) {
        const [a, b] = [cached!.next(tokens), whole!.next(tokens)];
        assert.deepEqual(a.shape, [3, 20]);
        assert.ok(distance(a, b) < 2e-5);
        tokens = [step, step + 1, step + 2];
      }
      cached!.dispose();
    });
  });

describe("generate", () => {
  const model = sharpened(transformerLanguageModel({ ...sizes, seed: 1 }));

  test("samples by seed, the same tokens on every backend", async () => {
    const options = { maxNewTokens: 10, temperature: 1.5, topK: 8, topP: 0.9 };
    const first = await generate(model, prompts, { ...options, seed: 3 });
    assert.deepEqual(await generate(model, prompts, { ...options, seed: 3 }), first);
    assert.notDeepEqual(await generate(model, prompts, { ...options, seed: 4 }), first);
    await tf.setBackend("cpu");
    try {
      assert.deepEqual(await generate(model, prompts, { ...options, seed: 3 }), first);
    } finally {
      await tf.setBackend(chosen);
    }
  });

  test("with topK 1, a small topP or a temperature of 0 takes the likeliest token", async () => {
    const greedy = await generate(model, prompts, { maxNewTokens: 8 });
    for (const one of [{ topK: 1 }, { topP: 1e-6 }, { temperature: 0, seed: 5 }])
      assert.deepEqual(await generate(model, prompts, { maxNewTokens: 8, seed: 2, ...one }), greedy);
  });

  test("draws tokens with the probabilities of the softmax", async () => {
    const prompt = [3];
    const count = 4000;
    const many = await generate(model, Array<number[]>(count).fill(prompt), { maxNewTokens: 1, temperature: 2 });
    const logits = tf.reshape(model.apply(model.parameters, dynamicPad([prompt])), [20]);
    const expected = tf.softmax(tf.div(logits, 2)).dataSync();
    for (const [token, probability] of expected.entries()) {
      const share = many.filter(([drawn]) => drawn === token).length / count;
      const deviation = Math.sqrt((probability * (1 - probability)) / count);
      assert.ok(Math.abs(share - probability) < 5 * deviation + 1e-3, `token ${token}: ${share} for ${probability}`);
    }
  });

  test("ends each sequence at its own stop token, and calls onToken in order", async () => {
    const free = await generate(model, prompts, { maxNewTokens: 10 });
    const stop = free[0]![2]!;
    const called: number[][] = prompts.map(() => []);
    const onToken = (token: number, prompt: number) => called[prompt]!.push(token);
    const stopped = await generate(model, prompts, { maxNewTokens: 10, stopTokens: [stop], onToken });
    const expected = free.map((tokens) => (tokens.includes(stop) ? tokens.slice(0, tokens.indexOf(stop)) : tokens));
    assert.deepEqual(stopped, expected);
    assert.deepEqual(called, expected);
  });

  test("ends sequences at the model's own stop tokens, unless a call names others", async () => {
    const free = await generate(model, prompts, { maxNewTokens: 10 });
    const ending = { ...model, stopTokens: [free[0]![2]!] };
    for (const beams of [1, 2]) {
      const expected = await generate(model, prompts, { maxNewTokens: 10, beams, stopTokens: ending.stopTokens });
      assert.deepEqual(await generate(ending, prompts, { maxNewTokens: 10, beams }), expected);
    }
    assert.deepEqual(await generate(ending, prompts, { maxNewTokens: 10, stopTokens: [] }), free);
  });

  test("does not compute a sequence that has ended", async () => {
    const free = await generate(model, prompts, { maxNewTokens: 6 });
    const rows: number[] = [];
    const counting: typeof model = {
      ...model,
      startDecoding: (...given) => {
        const decoding = model.startDecoding(...given);
        const next = (tokens?: ArrayLike<number>) => {
          const logits = decoding.next(tokens);
          rows.push(logits.shape[0]);
          return logits;
        };
        return { ...decoding, next };
      },
    };
    const stopTokens = [free[1]![0]!, free[2]![2]!];
    const expected = free.map((tokens) => {
      const end = tokens.findIndex((token) => stopTokens.includes(token));
      return end < 0 ? tokens : tokens.slice(0, end);
    });
    const steps = Math.max(...expected.map(({ length }) => Math.min(6, length + 1)));
    const runningAt = (step: number) => expected.filter(({ length }) => length >= step).length;
    for (const cache of [true, false]) {
      rows.length = 0;
      assert.deepEqual(await generate(counting, prompts, { maxNewTokens: 6, stopTokens, cache }), expected);
      assert.deepEqual(
        rows,
        Array.from({ length: steps }, (_, step) => runningAt(step)),
      );
    }
    assert.ok(new Set(rows).size > 1, `${rows}`);
  });

  test("as a stream gives each token as it is chosen, and frees its memory when it is left", async () => {
    const options = { maxNewTokens: 5, temperature: 1.2, seed: 2 };
    const expected = await generate(model, prompts, options);
    const order: number[] = [];
    const all = new Map<number, readonly number[]>();
    for await (const { token, prompt, tokens } of generateStream(model, prompts, options)) {
      assert.equal(tokens.at(-1), token);
      order.push(prompt);
      all.set(prompt, tokens);
    }
    assert.deepEqual([...all.values()], expected);
    assert.deepEqual(order.slice(0, 6), [0, 1, 2, 0, 1, 2]);
    const { live } = nativeMemory();
    for await (const { tokens } of generateStream(model, prompts, options)) if (tokens.length === 2) break;
    assertNoMoreThan(live);
    await assert.rejects(generateStream(model, [], options).next(), { name: "RangeError" });
  });

  test("frees its memory at the end, when it is aborted, and after an error", async () => {
    const run = (options: object) => generate(model, prompts, { maxNewTokens: 6, ...options });
    await run({});
    const { live } = nativeMemory();
    await run({});
    assertNoMoreThan(live);
    const controller = new AbortController();
    const short = await run({ signal: controller.signal, onToken: () => controller.abort() });
    assert.deepEqual(
      short.map(({ length }) => length),
      [1, 1, 1],
    );
    assertNoMoreThan(live);
    const fail = () => {
      throw new Error("no");
    };
    await assert.rejects(run({ onToken: fail }), /no/);
    assertNoMoreThan(live);
  });

  test("says so when a model has diverged", async () => {
    const broken = transformerLanguageModel(sizes);
    parameterList(broken.parameters)[0]!.variable.assign(tf.fill([20, 16], Number.NaN));
    await assert.rejects(generate(broken, prompts, { maxNewTokens: 1 }), /generate: the model's logits are NaN/);
  });

  test("takes one stop token as it takes several", async () => {
    const [free] = await generate(model, prompts, { maxNewTokens: 6 });
    for (const beams of [1, 2]) {
      const one = await generate(model, prompts, { maxNewTokens: 6, beams, stopTokens: free![1]! });
      assert.deepEqual(one, await generate(model, prompts, { maxNewTokens: 6, beams, stopTokens: [free![1]!] }));
    }
  });

  test("refuses stop tokens that are not integers, and a plain layer, in one sentence", async () => {
    for (const stopTokens of ["a.", null, 0.5, ["a"]])
      await assert.rejects(generate(model, prompts, { maxNewTokens: 2, stopTokens: stopTokens as never }), {
        name: "TypeError",
        message: /^generate: stopTokens must be a token or tokens, which are integers, got ("a.?"|null|0\.5)$/,
      });
    await assert.rejects(generate(linear({ in: 2, out: 2 }) as never, prompts, { maxNewTokens: 2 }), {
      name: "TypeError",
      message: /^generate: expected a model with startDecoding, such as transformerLanguageModel, got one without/,
    });
  });

  test("refuses prompts and options that it cannot use, in one sentence", async () => {
    const refused = (given: number[][], options: object, message: string) =>
      assert.rejects(generate(model, given, { maxNewTokens: 2, ...options }), { name: "RangeError", message });
    await refused([], {}, "generate: expected at least one prompt, got none");
    await refused([[1], []], {}, "generate: prompt 1 is empty: give it at least one token");
    await refused([[1, 20]], {}, "generate: prompt 0 has id 20 at token 1, outside the vocabulary (size 20)");
    await refused(
      [[1, 2]],
      { maxNewTokens: 23 },
      "generate: prompt 0 has 2 tokens, and 23 new ones exceed the model's maxLength of 24",
    );
    await refused([[1]], { maxNewTokens: 0 }, "generate: maxNewTokens must be a positive integer, got 0");
    await refused([[1]], { topP: 0 }, "generate: topP must be above 0 and at most 1, got 0");
    await refused([[1]], { topK: 0.5 }, "generate: topK must be a positive integer, got 0.5");
    await refused([[1]], { temperature: -1 }, "generate: temperature must be a number of at least 0, got -1");
  });
});

describe("transformerSeq2Seq", () => {
  const model = sharpened(
    transformerSeq2Seq({
      ...{ sourceVocabularySize: 15, targetVocabularySize: 12, startToken: 1, maxLength: 16 },
      ...{ features: 16, heads: 2, layers: 2, seed: 6 },
    }),
  );
  const sources = [[3, 4, 5], [6], [7, 8, 9, 10]];

  test("generates targets of sources of different lengths, with a cache and without, as for each alone", async () => {
    const all = await generate(model, sources, { maxNewTokens: 10 });
    assert.deepEqual(await generate(model, sources, { maxNewTokens: 10, cache: false }), all);
    for (const [i, source] of sources.entries())
      assert.deepEqual(await generate(model, [source], { maxNewTokens: 10 }), [all[i]]);
    const batch = { source: dynamicPad(sources), target: dynamicPad(all.map((tokens) => [1, ...tokens])) };
    const likeliest = tf.argMax(model.apply(model.parameters, batch), -1).arraySync() as number[][];
    assert.deepEqual(
      likeliest.map((row) => row.slice(0, 10)),
      all,
    );
    const { live } = nativeMemory();
    await generate(model, sources, { maxNewTokens: 5 });
    assertNoMoreThan(live);
  });

  test("refuses a target without the start token, and a batch without targets", () => {
    const source = dynamicPad(sources);
    const target = dynamicPad([[1, 2], [2, 1], [1]]);
    assert.throws(() => model.apply(model.parameters, { source, target }), {
      name: "RangeError",
      message: "transformerSeq2Seq: a target in row 1 begins with token 2, expected the startToken 1",
    });
    assert.throws(() => model.apply(model.parameters, source as never), {
      name: "TypeError",
      message: /expected a batch of sources and targets/,
    });
  });
});
