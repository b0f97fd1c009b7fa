import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import type { Rank, Scalar, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, GradScaler, type HalfType } from "../../src/amp/index.ts";
import { fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { random } from "../../src/data/random.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { type Storage, to } from "../../src/storage/index.ts";
import { adamW, sgd, train, valueAndGradients } from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

await ready();
const native = tf.getBackend() === "tensorflow";
const folder = temporaryFolder();

const examples = listOps({ count: 32, seed: 1, maxLength: 24 });
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 24, features: 32, heads: 4, layers: 2 };
const batches = fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 1 });

function setting(half?: HalfType) {
  const model = transformerClassifier({ ...sizes, dropout: 0, seed: 1 });
  const optimizer = adamW(model.parameters, { learningRate: 3e-3, clipNorm: 1 });
  const amp = half ? { autocast: half, scaler: new GradScaler() } : {};
  return { model, optimizer, batches, progress: false, ...amp } as const;
}

describe("train in mixed precision", { skip: !native && "needs the native runtime" }, () => {
  for (const half of [undefined, "float16", "bfloat16"] as const) {
    test(`fits a small set in ${half ?? "float32"}`, async () => {
      const { steps, evaluations } = await train({ ...setting(half), steps: 130, validation: [...batches] });
      assert.ok(evaluations.at(-1)!.accuracy > 0.95, JSON.stringify(evaluations));
      // What earlier tests let go of may be freed meanwhile.
      assert.ok(steps.at(-1)!.liveBytes <= steps[5]!.liveBytes);
      if (half) assert.ok(steps.every(({ skipped, lossScale }) => skipped === false && lossScale === 65536));
    });
  }

  test("an overflow of the scale skips steps, records them, and the training continues", async () => {
    const options = setting("float16");
    const scaler = new GradScaler({ initScale: 2 ** 36 });
    const { steps } = await train({ ...options, scaler, steps: 40 });
    const skipped = steps.filter((step) => step.skipped);
    assert.ok(skipped.length > 0 && skipped.length < 20);
    assert.deepEqual(
      steps.map(({ lossScale }) => lossScale),
      steps.map((_, i) => 2 ** (36 - steps.slice(0, i).filter((step) => step.skipped).length)),
    );
    assert.ok(steps.at(-1)!.loss < steps[0]!.loss);
  });

  test("the recorded loss is the unscaled one, also where the scaled one is infinite", async () => {
    for (const half of [undefined, "float16"] as const) {
      const [plain, scaled] = [{}, { scaler: new GradScaler({ initScale: 2 ** 127 }) }];
      const first = async (options: object) =>
        (await train({ ...setting(half), scaler: undefined, ...options, steps: 1 } as never)).steps[0]!.loss;
      assert.equal(await first(scaled), await first(plain));
    }
  });

  test("skipped steps do not advance the learning rate's schedule, also after a checkpoint", async () => {
    // transformers' Trainer: `if not self.accelerator.optimizer_step_was_skipped: self.lr_scheduler.step()`.
    const file = path.join(folder, "schedule.safetensors");
    const rate = (update: number) => 1e-3 * (update + 1);
    const run = (steps: number) =>
      train({
        ...setting("float16"),
        scaler: new GradScaler({ initScale: 2 ** 36 }),
        learningRate: rate,
        steps,
        checkpoint: { path: file },
      });
    await run(12);
    const { steps } = await run(24);
    const skipped = steps.filter((step) => step.skipped).length;
    assert.ok(steps.length === 24 && skipped > 12 && skipped < 24, `${skipped} skipped`);
    assert.deepEqual(
      steps.map(({ learningRate }) => learningRate),
      steps.map((_, i) => rate(steps.slice(0, i).filter((step) => !step.skipped).length)),
    );
  });

  test("gradients that overflow at every scale end the training with an error that has the step and the remedy", async () => {
    const { model, optimizer, ...rest } = setting("float16");
    const broken = {
      ...model,
      apply: (...given: Parameters<typeof model.apply>) => tf.mul(model.apply(...given), 1e38),
    };
    await assert.rejects(
      train({ ...rest, model: broken as typeof model, optimizer, steps: 40 }),
      /step 17: GradScaler: a gradient is not finite at a loss scale of 1, .*lower the learning rate/,
    );
  });

  test("a run resumed from a checkpoint gives the same bits, the loss scale included", async () => {
    const whole = setting("float16");
    const grown = () => new GradScaler({ initScale: 1024, growthInterval: 3 });
    const uninterrupted = await train({ ...whole, scaler: grown(), steps: 8 });
    const checkpoint = { path: path.join(folder, "half.safetensors") };
    await train({ ...setting("float16"), scaler: grown(), steps: 4, checkpoint });
    const scaler = grown();
    const resumed = await train({ ...setting("float16"), scaler, steps: 8, checkpoint });
    const told = ({ loss, lossScale, skipped }: (typeof resumed.steps)[number]) => ({ loss, lossScale, skipped });
    assert.deepEqual(resumed.steps.map(told), uninterrupted.steps.map(told));
    assert.equal(scaler.getScale(), 4096);
  });
});

describe("limits of half precision", { skip: !native && "needs the native runtime" }, () => {
  /** Root mean square error of a sum of two numbers learned by least squares, all numbers stored in one type. */
  function regression(storage: Storage): number {
    const rng = random(2);
    const x = to(
      tf.tensor2d(
        Float32Array.from({ length: 256 }, () => rng.uniform()),
        [128, 2],
      ),
      storage,
    );
    const y = to(tf.sum(to(x, "float64"), 1, true), storage) as Tensor2D;
    const weight = tf.variable(to(tf.zeros([2, 1]), storage)) as Variable<Rank.R2>;
    const error = () => tf.sub(tf.matMul(x, weight), y);
    for (let step = 0; step < 400; step++)
      tf.tidy(() => {
        const { gradients } = valueAndGradients(() => tf.mean(tf.square(error())) as Scalar, [weight]);
        weight.assign(tf.sub(weight, tf.mul(gradients[0]!, 0.5)) as Tensor2D);
      });
    return Math.sqrt(tf.mean(tf.square(to(error(), "float32"))).dataSync()[0]!);
  }

  test("adding two numbers: pure float16 stalls at its resolution, float32 and float64 do not", () => {
    const [half, single, double] = (["float16", "float32", "float64"] as const).map(regression);
    // Near 1 the steps of float16 are 2^-11 and those of float32 2^-24.
    assert.ok(half! > 2 ** -14, `${half}`);
    assert.ok(single! < 2 ** -20 && single! < half! / 64, `${single}`);
    assert.ok(double! < 2 ** -20, `${double}`);
  });

  test("an update smaller than a step is lost in pure float16 and kept by a float32 master weight", () => {
    const learned = (storage: Storage) => {
      const weight = tf.variable(to(tf.ones([1, 1]), storage)) as Variable<Rank.R2>;
      const optimizer = sgd([weight], { learningRate: 1e-4 });
      for (let step = 0; step < 100; step++)
        optimizer.step(
          valueAndGradients(
            () => tf.sum(autocast("float16", () => tf.matMul(weight, tf.ones([1, 1])))) as Scalar,
            [weight],
          ).gradients,
        );
      return weight.dataSync()[0]!;
    };
    assert.equal(learned("float16"), 1);
    assert.ok(Math.abs(learned("float32") - 0.99) < 1e-5);
  });
});
