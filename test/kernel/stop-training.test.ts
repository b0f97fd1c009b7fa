import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../src/data/random.ts";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { openNotebook, type Ran } from "./fixture.ts";
import { trapCode } from "./trap.ts";

/** What the cells work with: a Transformer of one layer, which passes the trap. */
const setUp = `${trapCode}
import {
  adamW, autocast, checkpoint, evaluate, generate, generateStream, GradScaler, historyOf, listOps, listOpsVocabulary, mean, mul,
  parameterList, probe, profileScope, scope, sum, train, transformerClassifier, transformerLanguageModel, uniformLengthBatches,
  valueAndGrad, withMemoryBudget,
} from "halftone";

const examples = listOps({ count: 24, seed: 1, maxLength: 12 });
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 12, features: 8, heads: 2, layers: 1 };
const batches = uniformLengthBatches(examples, { batchSize: 8, seed: 4 });
function trapped() {
  const model = transformerClassifier({ ...sizes, seed: 1 });
  const { apply } = model;
  return { ...model, apply: ((...given: any[]) => trap((apply as any)(...given))) as typeof apply };
}
const model = trapped();
const optimizer = adamW(model.parameters);
const training = (options = {}) =>
  train({ model, optimizer, batches, steps: 1e6, seed: 5, progress: false, ...options });
const weights = parameterList(model.parameters)[0]!.variable;
const batch = [...batches.epoch(0)][0]!;
const step = () => valueAndGrad((parameters: typeof model.parameters) =>
  mean(trap((model as any).apply(parameters, batch, { training: true, seed: 1 }))))(model.parameters);
const language = transformerLanguageModel({ vocabularySize: 8, maxLength: 12, features: 8, heads: 2, layers: 1 });
const writer = { ...language, startDecoding: (...given: Parameters<typeof language.startDecoding>) => {
  const decoding = language.startDecoding(...given);
  return { ...decoding, next: (tokens?: ArrayLike<number>) => tf.tidy(() => trap(decoding.next(tokens)) as any) };
} };
async function losses() {
  const fresh = transformerClassifier({ ...sizes, seed: 1 });
  const own = adamW(fresh.parameters);
  const history = await train({ model: fresh, optimizer: own, batches, steps: 12, seed: 5, progress: false,
    validation: [...batches.epoch(0)], evaluateEvery: 6 });
  own.dispose();
  fresh.dispose();
  return JSON.stringify([history.steps.map((each) => each.loss), history.evaluations]);
}
`;

/** Loops that never end; each passes a trap, in the forward pass or in the backward one. */
const work: Record<string, string> = {
  training: "await training()",
  "training in half precision": "await training({ autocast: 'bfloat16', accumulate: 2 })",
  "training with a scaler": "await training({ autocast: 'float16', scaler: new GradScaler({ initScale: 256 }) })",
  "generating with a cache": "for (;;) await generate(writer, [[1, 2], [3]], { maxNewTokens: 8, seed: 1 })",
  "reading a stream of tokens": `for (;;)
    for await (const _ of generateStream(writer, [[1, 2], [3]], { maxNewTokens: 8, seed: 1 })) await null`,
  evaluation: "for (;;) evaluate(model, batches.epoch(0))",
  "checkpointed layers": `const loss = checkpoint((w: typeof weights) => sum(trap(mul(trap(mul(w as any, 2)), w as any))));
    for (;;) valueAndGrad((w: any) => sum(mul(loss(w) as any, 2)))(weights as any)`,
  "a probe": "for (;;) probe(() => profileScope('all', step))",
  "an async probe": "for (;;) await probe(async () => { await null; return autocast('bfloat16', step) })",
  "a budget and scopes": `for (;;) withMemoryBudget('1 GB', () => scope(() => {
      using s = scope();
      return autocast('bfloat16', () => step().value);
    }))`,
  "tfjs' own gradients": `const adam = tf.train.adam(); const v = tf.variable(tf.ones([3]));
    for (;;) adam.minimize(() => tf.tidy(() => trap(tf.square(v) as any).sum()) as any, false, [v])`,
};

for (const backend of ["tensorflow", "wasm"]) {
  const skip = backend === "tensorflow" && runtimeInfo().backend !== "tensorflow";
  const title =
    "Stops at random moments leave no tensor and no state behind, and the next training is as in a fresh process";
  test(`${title} (${backend})`, { skip }, async () => {
    const env = { ...process.env, HALFTONE_BACKEND: backend };
    const fresh = openNotebook({ env });
    const { run, session } = openNotebook({ env });
    assert.equal((await run(setUp)).error, undefined);
    const expected = fresh.run(`${setUp}\nawait losses()`);
    const draw = random(7);
    const stopped = async (code: string): Promise<Ran> => {
      const ran = await run(code, {
        onOutput: (output) => output.type === "stream" && output.name === "stdout" && session.interrupt(),
      });
      assert.equal(ran.stdout, "now\n", `${code}\n${ran.error?.traceback.join("\n")}`);
      assert.equal(ran.error?.ename, "KeyboardInterrupt", ran.error?.traceback.join("\n"));
      return ran;
    };
    // Each once before, for what is made at the first use.
    for (const code of Object.values(work)) await stopped(`passes = 3; spins = false;\n{ ${code} }`);
    await run("await losses();");
    // Keras keeps `model.history` of a `fit` that was interrupted.
    const history =
      "const { steps, ended } = historyOf(model)!; [steps.length >= 19, steps.every(({ step }, at) => step === at + 1), ended]";
    await stopped("passes = 41; spins = false; await training()");
    assert.match((await run(history)).text!, /^\[ true, true, 'unfinished' \]$/);
    // V8 may hold on to what a stopped cell awaited for some cells more.
    for (let more = 0; more < 5; more++) await run("await null; void state()");
    const before = (await run("state()")).text;
    // One that catches it and goes on, and tfjs' own training, which goes on behind its cell where it is let.
    await stopped("passes = 1; spins = false; for (;;) try { for (;;) trap(tf.ones([2]) as any) } catch {}");
    await run(`const own = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
      own.compile({ loss: "meanSquaredError", optimizer: "sgd" });
      const fit = (epochs: number) => own.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs, verbose: 0, callbacks: { onEpochEnd: pass } });
      await fit(1);`);
    await stopped("passes = 3; spins = false; await fit(1e6)");
    const after = Number((await run("passes")).text);
    assert.equal(
      (await run("await new Promise((go) => setImmediate(() => setTimeout(go, 20))); passes")).text,
      `${after}`,
    );
    await run("own.dispose();");
    const moments: string[] = [];
    const stops = backend === "tensorflow" ? 200 : 40;
    for (let stop = 1; stop <= stops; stop++) {
      const [what, code] = Object.entries(work)[stop % Object.keys(work).length]!;
      // One in four keeps JavaScript without an op, so that V8 is terminated.
      const spins = draw.integer(0, 4) === 0;
      const passes = draw.integer(1, 6);
      await stopped(`passes = ${passes}; spins = ${spins};\n{ ${code} }`);
      moments.push(`${what} at pass ${passes}${spins ? ", which spins" : ""}`);
      if (stop % 5 > 0) continue;
      // A leak stays.
      let now = (await run("state()")).text;
      for (let more = 0; more < 5 && now !== before; more++) now = (await run("await null; state()")).text;
      assert.equal(now, before, moments.slice(-5).join("; "));
    }
    assert.equal((await run("await losses()")).text, (await expected).text);
  });
}

test("A Stop frees the keys and values of a stream whose cell waits for something else", async () => {
  const { run, session } = openNotebook();
  const read = (body: string) =>
    `for await (const _ of generateStream(language, [[1, 2], [3]], { maxNewTokens: 4 })) { ${body} }`;
  await run(`${setUp}\n${read("")}`);
  const before = (await run("nativeMemory().tensors")).text;
  const { stdout, error } = await run(read('console.log("now"); await new Promise(() => {});'), {
    onOutput: (output) => output.type === "stream" && output.name === "stdout" && session.interrupt(),
  });
  assert.deepEqual([stdout, error!.ename], ["now\n", "KeyboardInterrupt"]);
  assert.equal((await run("nativeMemory().tensors")).text, before);
});
