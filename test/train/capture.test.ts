import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  adafactor,
  adagrad,
  adamW,
  add,
  type Batch,
  batchNorm,
  crossEntropy,
  dynamicLengthBatches,
  fixedLengthBatches,
  GradScaler,
  linear,
  lion,
  listOps,
  listOpsVocabulary,
  mul,
  type Optimizer,
  packedBatches,
  parameterList,
  profileScope,
  relu,
  rmsProp,
  sgd,
  square,
  sum,
  type Tensor,
  tensor,
  tokenBudgetBatches,
  train,
  transformerClassifier,
  uniformLengthBatches,
  warmUp,
} from "../../src/index.ts";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { stepFunctions } from "../../src/train/step-functions.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const skip = !runtimeInfo().capture && "nothing is captured here";
const examples = listOps({ count: 64, seed: 1, minLength: 6, maxLength: 24 });
const config = {
  vocabularySize: listOpsVocabulary.size,
  classes: 10,
  maxLength: 24,
  features: 16,
  heads: 2,
  layers: 2,
};

type Options = Partial<Parameters<typeof train<object, Batch, never>>[0]> & Record<string, unknown>;

/** Trains a Transformer, and gives what it did: the loss of each step, the bits of parameters and optimizer state, the calls of functions. */
async function run(
  capture: boolean,
  options: Options = {},
  make = (p: object): Optimizer => adamW(p as never, { clipNorm: 1 }),
) {
  const model = transformerClassifier({ ...config, dropout: 0.1, seed: 1 });
  const optimizer = make(model.parameters);
  const history = await train({
    model,
    optimizer,
    batches: fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 2 }),
    steps: 12,
    seed: 5,
    progress: false,
    capture,
    ...(options as object),
  });
  const hash = createHash("sha256");
  for (const { variable } of parameterList(model.parameters)) hash.update(variable.dataSync());
  for (const { values } of optimizer.stateDict().groups) for (const slot of Object.values(values)) hash.update(slot);
  const { gradients, update } = stepFunctions(model, optimizer);
  return {
    losses: history.steps.map(({ loss, metrics, gradientNorm, skipped }) => ({ loss, metrics, gradientNorm, skipped })),
    bits: hash.digest("hex"),
    gradients: gradients.state,
    update: update.state,
  };
}

/** Trains in both ways, and compares. */
async function compare(options: () => Options, calls: number, make?: (p: object) => Optimizer) {
  const plain = await run(false, options(), make);
  const captured = await run(true, options(), make);
  assert.deepEqual(captured.losses, plain.losses);
  assert.equal(captured.bits, plain.bits);
  assert.deepEqual([plain.gradients.functions, plain.update.functions], [0, 0]);
  assert.deepEqual([captured.gradients.fault, captured.update.fault], [undefined, undefined]);
  assert.ok(captured.gradients.calls >= calls, `gradients: ${captured.gradients.calls} calls`);
  assert.equal(captured.gradients.replayFault, undefined);
  const { replays } = captured.gradients;
  assert.ok(replays >= calls - 4, `gradients: ${replays} replays in ${captured.gradients.calls} calls`);
  return captured;
}

const strategies: Record<string, [batches: () => Iterable<Batch>, calls: number]> = {
  fixed: [() => fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 2 }), 8],
  dynamic: [() => dynamicLengthBatches(examples, { batchSize: 16, padToMultipleOf: 8, seed: 2 }), 8],
  uniform: [() => uniformLengthBatches(examples, { batchSize: 16, padToMultipleOf: 8, seed: 2 }), 8],
  packed: [() => packedBatches(examples, { batchSize: 8, maxLength: 24, seed: 2 }), 1],
  "token budget": [() => tokenBudgetBatches(examples, { maxTokens: 96, maxLength: 24, seed: 2 }), 1],
};

describe("a captured training", { skip }, () => {
  for (const [name, [batches, calls]] of Object.entries(strategies)) {
    test(`takes the same steps, bit for bit, with ${name} batches`, async () => {
      await compare(() => ({ batches: batches(), steps: 40 }), calls);
    });
  }

  test("serves batches of another size from the second one on", async () => {
    const ofWidth = (maxLength: number) => [...fixedLengthBatches(examples, { batchSize: 16, maxLength, seed: 2 })][0]!;
    const [first, second] = [ofWidth(24), ofWidth(16)];
    const batches = [...Array(4).fill(first), ...Array(4).fill(second), first] as Batch[];
    const { gradients } = await run(true, { batches, steps: batches.length });
    const { functions, shapes, calls, replays } = gradients;
    assert.deepEqual({ functions, shapes, calls, replays }, { functions: 1, shapes: 2, calls: 5, replays: 5 });
  });

  test("is not recorded before batches of a size have come a few times, where each size has ops of its own", async () => {
    const head = linear({ in: 2, out: 3, from: 3 });
    const batch = (size: number) => ({ x: new Float32Array(2 * size).fill(0.5), labels: new Int32Array(size) });
    const model = {
      parameters: head.parameters,
      apply: (p: typeof head.parameters, { x }: ReturnType<typeof batch>) => {
        const rows = tensor(x, { shape: [x.length / 2, 2] }) as Tensor<[number, 2], "float32">;
        return head.apply(
          p,
          Array.from({ length: x.length }).reduce<typeof rows>((y) => relu(y), rows),
        );
      },
    };
    const optimizer = adamW(model.parameters);
    const sizes = [
      ...Array(4).fill(20),
      ...Array.from({ length: 8 }, (_, i) => i + 1),
      ...Array(14).fill(9),
    ] as number[];
    const recordedOrCalled: number[] = [];
    await train({
      model,
      optimizer,
      batches: sizes.map(batch),
      steps: sizes.length,
      loss: (logits, { labels }) => crossEntropy(logits, tensor(labels, { dtype: "int32" })),
      progress: false,
      // The two passes have times of their own where a step's ops are run one by one, and nothing looks at them.
      onStep: ({ step, times }) => {
        if (times.forward === undefined) recordedOrCalled.push(step);
      },
    });
    const { functions, calls } = stepFunctions(model, optimizer).gradients.state;
    assert.deepEqual({ functions, calls }, { functions: 2, calls: 3 });
    assert.deepEqual(recordedOrCalled, [...Array.from({ length: 11 }, (_, i) => i + 2), 23, 24, 25, 26]);
  });

  test("takes the same steps in bfloat16, and in float16 with a scaler that skips some", async () => {
    await compare(() => ({ autocast: "bfloat16" }), 8);
    const { losses, update } = await compare(
      () => ({ autocast: "float16", scaler: new GradScaler({ initScale: 2 ** 30, growthInterval: 3 }), steps: 30 }),
      20,
    );
    const skipped = losses.filter((step) => step.skipped).length;
    assert.ok(skipped > 0 && skipped < 20);
    assert.ok(update.calls >= 5);
  });

  test("takes the same steps with accumulation, a schedule, and other optimizers", async () => {
    await compare(() => ({ accumulate: 3, steps: 20, learningRate: warmUp({ peak: 1e-2, warmUp: 4, total: 20 }) }), 20);
    const { update } = await compare(
      () => ({}),
      8,
      (p) => sgd(p as never, { momentum: 0.9, clipValue: 0.1 }),
    );
    assert.ok(update.calls >= 7);
    for (const make of [adafactor, lion, adagrad, rmsProp])
      await compare(
        () => ({}),
        8,
        (p) => make(p as never),
      );
  });

  test("of a model and a loss of one's own sees what their own code changes", async () => {
    const own = async (capture: boolean) => {
      const x = Float32Array.from({ length: 48 * 6 }, (_, i) => Math.sin(i * i));
      const labels = Int32Array.from({ length: 48 }, (_, i) => i % 3);
      const [norm, head] = [batchNorm({ features: 6 }), linear({ in: 6, out: 3, from: 3 })];
      let temperature = 1;
      const model = {
        parameters: { norm: norm.parameters, head: head.parameters },
        apply: (
          p: { norm: typeof norm.parameters; head: typeof head.parameters },
          batch: { x: Float32Array },
          o?: object,
        ) =>
          mul(
            head.apply(p.head, norm.apply(p.norm, tensor(batch.x, { shape: [batch.x.length / 6, 6] }), o)),
            temperature,
          ),
      };
      const optimizer = adamW(model.parameters);
      const history = await train({
        model,
        optimizer,
        batches: () =>
          Array.from({ length: 3 }, (_, b) => ({
            x: x.slice(96 * b, 96 * b + 96),
            labels: labels.slice(16 * b, 16 * b + 16),
          })),
        loss: (logits, batch) => ({
          loss: add(crossEntropy(logits, tensor(batch.labels, { dtype: "int32" })), mul(sum(square(logits)), 1e-3)),
          metrics: { size: sum(square(logits)) },
        }),
        steps: 15,
        // An annealed number, which is a new one for every step after the tenth.
        onStep: ({ step }) => {
          if (step >= 10) temperature *= 0.9;
        },
        capture,
        progress: false,
      });
      const { gradients } = stepFunctions(model, optimizer);
      const statistics = parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]);
      return {
        steps: history.steps.map(({ loss, metrics }) => ({ loss, metrics })),
        statistics,
        calls: gradients.state.calls,
      };
    };
    const [plain, captured] = [await own(false), await own(true)];
    assert.deepEqual([captured.steps, captured.statistics], [plain.steps, plain.statistics]);
    assert.ok(captured.calls >= 9);
  });

  test("counts its peak memory by TensorFlow's allocator, and needs about as much as op by op", async () => {
    const peak = async (capture: boolean) => {
      const model = transformerClassifier({ ...config, features: 64, dropout: 0.1, seed: 1 });
      const batches = fixedLengthBatches(examples, { batchSize: 32, maxLength: 24 });
      const { steps } = await train({
        model,
        batches,
        optimizer: adamW(model.parameters),
        steps: 10,
        capture,
        progress: false,
      });
      return steps.at(-1)!.peakBytes / 2 ** 20;
    };
    const [plain, captured] = [await peak(false), await peak(true)];
    assert.ok(captured > 0.8 * plain && captured < 1.4 * plain, `${captured.toFixed(1)} and ${plain.toFixed(1)} MiB`);
  });

  test("resumes from a checkpoint with the same bits", async () => {
    const folder = temporaryFolder();
    const whole = await run(true);
    const path = join(folder, "run.safetensors");
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }) => step === 7 && stop.abort();
    await run(true, { checkpoint: { path }, onStep, signal: stop.signal });
    const resumed = await run(true, { checkpoint: { path } });
    assert.equal(resumed.bits, whole.bits);
    assert.deepEqual(resumed.losses, whole.losses);
  });

  test("that fails leaves parameters and optimizer as they were, and names the layer", async () => {
    const { float, nativeOp, tf } = await import("../../src/runtime/index.ts");
    const inverse = nativeOp("MatrixInverse", { T: float, adjoint: false });
    const body = linear({ in: 4, out: 4, from: 3 });
    const model = {
      parameters: body.parameters,
      apply: (p: typeof body.parameters, batch: { x: Float32Array }) => {
        const x = tensor(batch.x, { shape: [4, 4] });
        // Not a part of the loss: an op that fails for a matrix without an inverse.
        const scale = profileScope("head", () => tf.mul(tf.sum(inverse(x as never)), 0));
        return add(relu(body.apply(p, x)), scale as never);
      },
    };
    const optimizer = adamW(model.parameters);
    const good = { x: Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 2 : 0.1 * i)), labels: [0, 1, 2, 3] };
    const bad = { x: new Float32Array(16), labels: [0, 1, 2, 3] };
    const go = (batches: (typeof good)[]) =>
      train({ model, optimizer, batches, epochs: 1, loss: "crossEntropy", progress: false });
    await go(Array.from({ length: 6 }, () => good));
    const bits = () => [
      parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]),
      optimizer.stateDict(),
    ];
    const before = bits();
    await assert.rejects(go([bad]), /^Error: head: TensorFlow's MatrixInverse of \[4, 4\] float32 failed/);
    assert.deepEqual(bits(), before);
    assert.equal((await go([good])).steps.length, 1);
  });

  test("whose update fails leaves parameters and optimizer as they were, and names the layer", async () => {
    const { float, nativeOp, tf } = await import("../../src/runtime/index.ts");
    const inverse = nativeOp("MatrixInverse", { T: float, adjoint: false });
    const layer = linear({ in: 4, out: 4, from: 3 });
    const inner = adamW(layer.parameters);
    // Fails where the gradient of the weight is 0.
    const step = (gradients: readonly ReturnType<typeof tf.zeros>[], rate?: number) => {
      const size = tf.sum(tf.square(gradients[0]!));
      const factor = profileScope("precondition", () => tf.mul(tf.sum(inverse(tf.mul(tf.eye(2), size))), 0));
      return inner.step(
        gradients.map((gradient) => tf.add(gradient, factor)),
        rate,
      );
    };
    const optimizer = { ...inner, step } as unknown as Optimizer;
    const model = {
      parameters: layer.parameters,
      apply: (p: typeof layer.parameters, { x }: { x: Float32Array }) =>
        layer.apply(p, tensor(x, { shape: [4, 4] }) as never),
    };
    const good = { x: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), labels: [0, 1, 2, 3] };
    const bad = { x: new Float32Array(16), labels: [0, 1, 2, 3] };
    const go = (batches: (typeof good)[]) =>
      train({ model: model as never, optimizer, batches, epochs: 1, loss: "crossEntropy", progress: false });
    await go(Array.from({ length: 6 }, () => good));
    const { calls } = stepFunctions(model, optimizer).update.state;
    assert.ok(calls >= 2);
    const bits = () => [
      parameterList(model.parameters).map(({ variable }) => [...variable.dataSync()]),
      inner.stateDict(),
    ];
    const before = bits();
    await assert.rejects(go([bad]), /^Error: precondition: TensorFlow's MatrixInverse of \[2, 2\] float32 failed/);
    assert.deepEqual(bits(), before);
    assert.equal((await go([good])).steps.length, 1);
    assert.equal(inner.stateDict().step, 7);
  });

  test("serves batches of every number of rows by one function", async () => {
    const rows = (count: number) => ({
      x: new Float32Array(4 * count).fill(0.5),
      labels: new Array<number>(count).fill(0),
    });
    const layer = linear({ in: 4, out: 2, from: 1 });
    const model = {
      parameters: layer.parameters,
      apply: (p: typeof layer.parameters, { x }: { x: Float32Array }) =>
        layer.apply(p, tensor(x, { shape: [x.length / 4, 4] })),
    };
    const optimizer = sgd(model.parameters);
    const batches = Array.from({ length: 20 }, (_, i) => rows(i + 1));
    await train({ model, optimizer, batches, epochs: 3, loss: "crossEntropy", progress: false });
    // Recorded when a size comes for the second time, called from the third on.
    const { functions, shapes, calls } = stepFunctions(model, optimizer).gradients.state;
    assert.equal(functions, 1);
    assert.ok(shapes >= 19 && calls >= 19, `${shapes} shapes, ${calls} calls`);
  });
});
