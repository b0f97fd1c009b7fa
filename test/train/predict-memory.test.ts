import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Batch, dynamicPad, pack } from "../../src/batching/index.ts";
import { freeUnreachable, probe } from "../../src/memory/index.ts";
import { lora, pretrained, transformerClassifier, transformerLanguageModel } from "../../src/nn/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import { freeze, parameterList } from "../../src/tensor/index.ts";
import { firstRows } from "../../src/train/first-rows.ts";
import { adafactor, adamW, fitBudget, type OptimizerMaker, predictMemory, sgd, train } from "../../src/train/index.ts";
import { fixtureFolder } from "../nn/pretrained/fixture.ts";

const { backend } = await ready();
const isNative = backend === "tensorflow";
const native = { skip: isNative ? false : "WebAssembly stores no halves" };
const brief = { skip: isNative ? false : "the other settings take minutes on WebAssembly" };

const texts = (rows: number, time = 64) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: time }, (_, t) => (i * 7 + t * 3) % 48));
const sizes = { vocabularySize: 100, maxLength: 64, features: 64, heads: 4, layers: 4 };
const language = (more: object = {}) => transformerLanguageModel({ ...sizes, ...more });
const nextToken = { loss: "nextToken" } as const;

type Model = Parameters<typeof train>[0]["model"];
interface Settings {
  model: () => unknown;
  batch?: Batch;
  optimizer?: OptimizerMaker;
  given?: { accumulate?: number; gradientCheckpointing?: boolean | number; autocast?: "bfloat16" };
}

/** The prediction, and the peak of steps that train the model. */
async function compared({ model: make, batch = dynamicPad(texts(32)), optimizer: maker, given = {} }: Settings) {
  freeUnreachable();
  const held = nativeMemory().live;
  const model = make() as Model;
  const { total } = predictMemory({
    model,
    batch,
    ...given,
    ...(maker && { optimizer: maker }),
    ...nextToken,
  } as never);
  const optimizer = (maker ?? (adamW as OptimizerMaker))(model.parameters as never);
  const quiet = { steps: 3, progress: false, capture: false, ...nextToken };
  const batches = Array.from({ length: given.accumulate ?? 1 }, () => batch);
  const { steps } = await train({ model, optimizer, batches, ...quiet, ...given } as never);
  const measured = Math.max(...steps.map(({ peakBytes }) => peakBytes)) - held;
  optimizer.dispose();
  (model as unknown as { dispose(): void }).dispose();
  return { total, measured };
}

describe("predictMemory", () => {
  const cases: Record<string, Settings> = {
    "all parameters": { model: language },
    "gradient checkpointing": { model: language, given: { gradientCheckpointing: true } },
    "gradient checkpointing of two layers each": { model: language, given: { gradientCheckpointing: 2 } },
    accumulation: { model: language, given: { accumulate: 3 } },
    Adafactor: { model: language, optimizer: adafactor as OptimizerMaker },
    "plain gradient descent": { model: language, optimizer: sgd as OptimizerMaker },
    "LoRA of attention": { model: () => lora(language(), { rank: 4 }) },
    "LoRA of all linear maps, with checkpointing": {
      model: () => lora(language(), { rank: 4, targets: "layers", dropout: 0.1 }),
      given: { gradientCheckpointing: true },
    },
    "two frozen layers": {
      model() {
        const model = language();
        freeze(model.parameters, ["tokens", "positions", "layers.0", "layers.1"]);
        return model;
      },
    },
    "parameters that outweigh the activations": {
      model: () => language({ features: 128, layers: 2 }),
      batch: dynamicPad(texts(4)),
    },
    "a large vocabulary": { model: () => language({ vocabularySize: 5000 }) },
  };
  const isSlow = (name: string) => name !== "parameters that outweigh the activations";
  for (const [name, settings] of Object.entries(cases))
    test(`is within 10% of the measured peak: ${name}`, isSlow(name) ? brief : {}, async () => {
      const { total, measured } = await compared(settings);
      assert.ok(Math.abs(total / measured - 1) < 0.1, `predicted ${total}, measured ${measured}`);
    });

  test("is within 10% of the measured peak: bfloat16", native, async () => {
    const { total, measured } = await compared({ model: language, given: { autocast: "bfloat16" } });
    assert.ok(Math.abs(total / measured - 1) < 0.1, `predicted ${total}, measured ${measured}`);
  });

  test("is within 10% of the measured peak: frozen parameters in half storage, with LoRA", native, async () => {
    const halved = () => {
      const model = language({ features: 128 });
      for (const { variable } of parameterList(model.parameters)) {
        const half = to(variable as never, "bfloat16");
        variable.assign(half as never);
      }
      assert.equal(storageOf(model.parameters.tokens as never), "bfloat16");
      return lora(model, { rank: 4 });
    };
    const { total, measured } = await compared({ model: halved, batch: dynamicPad(texts(16)) });
    assert.ok(Math.abs(total / measured - 1) < 0.1, `predicted ${total}, measured ${measured}`);
  });

  test("is within 10% of the measured peak: a pretrained model with LoRA", async () => {
    const model = await pretrained(fixtureFolder("gpt2"), { head: "causalLanguageModel" });
    const { total, measured } = await compared({ model: () => lora(model), batch: dynamicPad(texts(16, 40)) });
    assert.ok(Math.abs(total / measured - 1) < 0.1, `predicted ${total}, measured ${measured}`);
  });

  test("is shown beside the measurement by probe, changes no parameter, and leaves nothing behind", () => {
    const model = language();
    const batch = dynamicPad(texts(8));
    const before = parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]);
    predictMemory({ model, batch, ...nextToken });
    freeUnreachable();
    const held = nativeMemory().live;
    const predicted = predictMemory({ model, batch, ...nextToken });
    freeUnreachable();
    assert.equal(nativeMemory().live, held);
    assert.deepEqual(
      parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]),
      before,
    );
    const { total, ...parts } = predicted;
    const sum = Object.values(parts).reduce((bytes, each) => bytes + each, 0);
    assert.ok(Math.abs(sum - total) < 1);
    assert.equal(probe(() => undefined, { predicted }).predicted, predicted);
  });

  test("is the same at first, when shapes are new, as later", () => {
    const model = language();
    const batch = dynamicPad(texts(24).map((tokens) => Array.from(tokens).slice(0, 11)));
    const predicted = () => predictMemory({ model, batch, ...nextToken }).total;
    assert.equal(predicted(), predicted());
  });

  test("refuses what it cannot take a part of", () => {
    const model = { parameters: { w: tf.variable(tf.ones([1])) }, apply: (p: { w: unknown }) => p.w };
    for (const batch of [{ x: tf.ones([8, 2]) }, undefined])
      assert.throws(() => predictMemory({ model, batch, loss: () => tf.scalar(1) } as never), {
        name: "TypeError",
        message: "the batch has no sequences, of which a part could be taken",
      });
    const frozen = language();
    freeze(frozen.parameters);
    assert.throws(() => predictMemory({ model: frozen, batch: dynamicPad(texts(2)), ...nextToken }), {
      name: "TypeError",
    });
  });
});

describe("the first rows of a batch", () => {
  test("are the batch of the first sequences, labels and packed rows included", () => {
    const examples = texts(6, 5).map((tokens, i) => ({ tokens: tokens.slice(0, 5 - (i % 3)), label: i % 2 }));
    const part = firstRows(dynamicPad(examples), 2);
    assert.deepEqual([...part.ids], [...dynamicPad(examples.slice(0, 2)).ids]);
    assert.deepEqual([...part.labels!], [0, 1]);
    assert.deepEqual([...part.lengths], [5, 4]);
    const packed = pack(examples, { maxLength: 9, algorithm: "first-fit" });
    const rows = firstRows(packed, 2);
    const count = packed.segments.subarray(0, 18).reduce((most, _, i, all) => {
      const isLast = i % 9 === 8;
      return isLast ? most + Math.max(...all.subarray(i - 8, i + 1)) : most;
    }, 0);
    assert.equal(rows.indices.length, count);
    assert.deepEqual([...rows.indices], [...packed.indices.subarray(0, count)]);
  });
});

describe("fitBudget", () => {
  const batches = [dynamicPad(texts(16).map((tokens, i) => ({ tokens: tokens.slice(i), label: i % 3 })))];
  const make = () => transformerClassifier({ ...sizes, classes: 3 });

  test("gives ways that fit when they are trained, the plainest first where there is room", brief, async () => {
    const model = make();
    const [plain] = fitBudget({ model, batches, budget: "1 GB" });
    assert.deepEqual(
      [plain!.trains, plain!.options, plain!.rows, plain!.time],
      ["all", { gradientCheckpointing: false, accumulate: 1 }, 16, 1],
    );
    assert.match(
      plain!.text,
      /^all parameters, (AdamW|AdamW with 8-bit state|Adafactor), batches of 16 rows: .* MiB, 1\.00 times the time$/,
    );
    const budget = 0.5 * plain!.memory.total;
    const fits = fitBudget({ model, batches, budget });
    assert.ok(fits.length > 0 && fits.every(({ memory }) => memory.total <= budget));
    const ways = new Set(fits.map(({ trains, options }) => `${trains} ${options.gradientCheckpointing}`));
    assert.ok(ways.has("all true") && ways.has("lora true"), [...ways].join());
    for (const fit of [fits[0]!, fits.find(({ trains }) => trains === "lora")!]) {
      freeUnreachable();
      const own = 4 * parameterList(model.parameters).reduce((sum, { variable }) => sum + variable.size, 0);
      const held = nativeMemory().live - own;
      const { model: prepared, optimizer } = fit.prepare({ learningRate: 1e-3 });
      const part = firstRows(batches[0]!, fit.rows);
      const parts = Array.from({ length: fit.options.accumulate }, () => part);
      const { steps } = await train({
        ...{ model: prepared, optimizer, batches: parts, steps: 2, progress: false },
        // Captured, the same step holds up to a quarter more.
        ...{ ...fit.options, capture: false },
      } as never);
      const measured = Math.max(...steps.map(({ peakBytes }) => peakBytes)) - held;
      assert.ok(Math.abs(fit.memory.total / measured - 1) < 0.1, `${fit.text}: measured ${measured}`);
      assert.ok(measured < 1.1 * budget);
      optimizer.dispose();
      if ("dispose" in prepared && fit.trains === "lora") (prepared as { dispose(): void }).dispose();
    }
    assert.ok(parameterList(model.parameters).every(({ variable }) => variable.trainable));
    model.dispose();
  });

  test("counts what is computed again and what has no gradient, and may measure the time instead", brief, () => {
    const model = make();
    const fits = fitBudget({ model, batches, budget: "1 GB", optimizers: ["adamW"], accumulate: 1 });
    const timeOf = (trains: string, isAgain: boolean) =>
      fits.find((fit) => fit.trains === trains && fit.options.gradientCheckpointing === isAgain)!.time;
    // One pass forward, and one each for the gradients of inputs and of weights.
    assert.ok(Math.abs(timeOf("all", true) - 4 / 3) < 1e-6);
    assert.ok(Math.abs(timeOf("lora", false) - 2 / 3) < 0.05);
    assert.ok(Math.abs(timeOf("lora", true) - 1) < 0.05);
    const [measured] = fitBudget({ model, batches, budget: "1 GB", train: ["all"], accumulate: 1, measure: true });
    assert.ok(measured!.time > 0);
    model.dispose();
  });

  test("splits a batch into as many parts as `accumulate` allows", () => {
    const many = [dynamicPad(texts(40, 4).map((tokens) => ({ tokens, label: 1 })))];
    const model = make();
    const options = { model, batches: many, budget: "1 GB", train: ["all" as const], optimizers: ["adamW" as const] };
    const partsOf = (accumulate: number) =>
      new Set(fitBudget({ ...options, accumulate }).map((fit) => fit.options.accumulate));
    assert.deepEqual([...partsOf(32)], [1, 2, 4, 8, 16, 32]);
    assert.deepEqual([...partsOf(3)], [1, 2]);
    assert.throws(() => partsOf(0), { message: "fitBudget: accumulate must be a positive integer, got 0" });
    model.dispose();
  });

  test("says what is the least and what takes most of it where nothing fits", () => {
    const model = make();
    assert.throws(() => fitBudget({ model, batches, budget: "100 kB" }), {
      name: "RangeError",
      message:
        /^fitBudget: nothing fits in 97\.7 KiB: the least is .* \(adapters of LoRA, .*\), of which the parameters take .*: raise the budget, or /,
    });
    assert.throws(() => fitBudget({ model, batches: [], budget: 1e9 }), { message: "fitBudget: there are no batches" });
    assert.throws(() => fitBudget({ model, batches, budget: "2 gigabytes" }), { message: /fitBudget: budget must be/ });
    assert.throws(() => fitBudget({ model, batches, budget: 1e9, train: ["some"] as never }), { name: "TypeError" });
    model.dispose();
  });
});
