import { setImmediate } from "node:timers/promises";
import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import { type Batch, type Batches, usefulTokens } from "../batching/index.ts";
import { type Classifier, crossEntropy, labelTensor } from "../nn/index.ts";
import { nativeMemory, resetPeak, tf } from "../runtime/index.ts";
import type { Optimizer } from "./adamw.ts";
import { correctShare, evaluate } from "./evaluate.ts";
import { valueAndGradients } from "./gradients.ts";
import type { History, StepRecord } from "./history.ts";
import { progress } from "./progress.ts";
import type { Schedule } from "./schedule.ts";

export interface TrainOptions {
  model: Classifier;
  batches: Batches;
  /** Over the model's parameters: `adamW(model.parameters)`. */
  optimizer: Optimizer;
  /** How long: a number of steps, or of passes over the data. One of the two. */
  steps?: number;
  epochs?: number;
  /** The learning rate by step; the optimizer's own by default. */
  learningRate?: Schedule;
  /** Decides what dropout drops. */
  seed?: number;
  /** Batches to evaluate on: before the first step, every `evaluateEvery` steps, and after the last. */
  validation?: Iterable<Batch>;
  evaluateEvery?: number;
  onStep?: (record: StepRecord) => void;
  /** Ends the training after the step in which it is aborted; what was learned stays. */
  signal?: AbortSignal;
  /** Shows progress; true by default. */
  progress?: boolean;
}

/** Milliseconds after which the event loop gets its turn: displays, timers, an interrupt. */
const BREATH = 50;

/**
 * Trains a classifier on `batches`: forward, backward, clip and update, step by step. Holds no memory from step to step
 * beyond parameters and optimizer state.
 *
 * @throws Error when the loss is not finite, naming the step
 */
export async function train(options: TrainOptions): Promise<History> {
  const { model, batches, optimizer, signal, validation, evaluateEvery = Number.POSITIVE_INFINITY } = options;
  const total = stepCount(options);
  const bar = options.progress === false ? undefined : progress(total);
  const history: History = { steps: [], evaluations: [], milliseconds: 0, ended: "all steps taken" };
  const started = performance.now();
  let breathed = started;

  const evaluateNow = (step: number) => {
    if (validation) history.evaluations.push({ step, ...evaluate(model, validation) });
  };
  evaluateNow(0);
  for (const { batch, epoch, made } of steps(batches, total)) {
    const step = history.steps.length + 1;
    const record = oneStep(model, optimizer, batch, { ...options, step });
    const now = performance.now();
    Object.assign(record, { epoch, milliseconds: now - made, elapsed: now - started });
    history.steps.push(record);
    if (!Number.isFinite(record.loss)) {
      throw new Error(`the loss is ${record.loss} at step ${step}: lower the learning rate, or clip the gradients`);
    }
    if (step === total || step % evaluateEvery === 0) evaluateNow(step);
    bar?.step(record, lastOf(history.evaluations));
    options.onStep?.(record);
    if (performance.now() - breathed > BREATH) {
      await setImmediate();
      breathed = performance.now();
    }
    if (signal?.aborted) {
      history.ended = "aborted";
      break;
    }
  }
  bar?.end();
  history.milliseconds = performance.now() - started;
  return history;
}

function oneStep(
  model: Classifier,
  optimizer: Optimizer,
  batch: Batch,
  { step, learningRate, seed = 0 }: { step: number; learningRate?: Schedule; seed?: number },
): StepRecord {
  resetPeak();
  const rate = learningRate?.(step - 1);
  const [loss, accuracy, gradientNorm] = tf.tidy(() => {
    let right: Scalar | undefined;
    const { value, gradients } = valueAndGradients(() => {
      const labels = labelTensor(batch);
      const logits = model.apply(model.parameters, batch, { training: true, seed: seed + step });
      right = tf.keep(correctShare(logits, labels));
      return crossEntropy(logits, labels);
    }, optimizer.variables);
    const norm = optimizer.step(gradients, rate);
    const read = [value, right, norm].map((scalar?: Tensor) => scalar?.dataSync()[0]);
    right?.dispose();
    return read;
  });
  const { live, peak } = nativeMemory();
  return {
    step,
    epoch: 0,
    loss: loss!,
    accuracy: accuracy!,
    learningRate: rate ?? optimizer.learningRate,
    ...(gradientNorm === undefined ? {} : { gradientNorm }),
    milliseconds: 0,
    elapsed: 0,
    liveBytes: live,
    peakBytes: peak,
    rss: process.memoryUsage.rss(),
    tokens: batch.rows * batch.time,
    usefulTokens: usefulTokens(batch),
  };
}

/** The batches of one epoch after another, each with the moment at which its making began. */
function* steps(batches: Batches, total: number): Generator<{ batch: Batch; epoch: number; made: number }> {
  let taken = 0;
  for (let epoch = 0; taken < total; epoch++) {
    let made = performance.now();
    for (const batch of batches.epoch(epoch)) {
      yield { batch, epoch, made };
      if (++taken === total) return;
      made = performance.now();
    }
  }
}

function stepCount({ steps: asked, epochs, batches }: TrainOptions): number {
  if ((asked === undefined) === (epochs === undefined)) throw new TypeError("train needs either steps or epochs");
  const total = asked ?? epochs! * batches.count;
  if (!Number.isInteger(total) || total < 1)
    throw new RangeError(`train needs a positive number of steps, got ${total}`);
  return total;
}

function lastOf<T>(items: readonly T[]): T | undefined {
  return items[items.length - 1];
}
