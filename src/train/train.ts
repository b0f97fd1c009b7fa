import { setImmediate } from "node:timers/promises";
import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { GradScaler, HalfType } from "../amp/index.ts";
import { checkPositiveInteger } from "../base/checks.ts";
import { requireWritable } from "../base/files.ts";
import type { Batch } from "../batching/index.ts";
import type { TransformerParameters } from "../nn/index.ts";
import { stopIfInterrupted } from "../runtime/index.ts";
import { type CheckpointOptions, loadCheckpoint, runIdentity, saveCheckpoint } from "./checkpoint.ts";
import { type EarlyStop, type EarlyStopOptions, earlyStop } from "./early-stop.ts";
import { evaluateLoss } from "./evaluate.ts";
import { lossOf } from "./loss.ts";
import { checkMetrics } from "./metrics/collect.ts";
import type { MetricName } from "./metrics/metric-name.ts";
import type { LossFunction, LossIfNeeded, ObjectiveOf } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import { progress } from "./progress.ts";
import { isObserving } from "./reduce-on-plateau.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";
import { takeStep } from "./step.ts";
import { stepFunctions } from "./step-functions.ts";
import { checkModel, type TrainedModel } from "./trained-model.ts";
import { type Epochs, epochsOf, groups, processorTime, type TrainingBatches } from "./training-batches.ts";
import type { History, StepRecord } from "./training-log.ts";

/**
 * Options of `train`, for a model with parameters `P` that makes outputs `Out` of batches `B`; without type arguments, for a
 * Transformer classifier.
 */
export interface TrainOptions<P extends object = TransformerParameters, B = Batch, Out = Tensor2D> {
  /** A model, or any layer whose input is a batch: `{ parameters, apply(parameters, batch, options) }`. */
  model: TrainedModel<P, NoInfer<B>, Out>;
  /** Batches of any strategy, an array of your own batches, or a function that makes those of an epoch. */
  batches: TrainingBatches<B>;
  /** An optimizer of the model's parameters, or of some of them: `adamW(model.parameters)`. */
  optimizer: Optimizer;
  /** The number of steps. Give either `steps` or `epochs`. */
  steps?: number;
  /** The number of passes over the data. */
  epochs?: number;
  /** Batches whose gradients make one step, as if they were one batch; 1 by default. An epoch's last step may have fewer. */
  accumulate?: number;
  /**
   * The learning rate, a number or a schedule; the optimizer's own by default. Only steps that changed the model are counted, so
   * a step that the scaler skips does not advance the schedule. One of `reduceOnPlateau` also sees the evaluations.
   */
  learningRate?: number | Schedule;
  /**
   * The objective: a name, or a function of outputs and batch that gives a scalar, or `{ loss, metrics, weight }`. The
   * cross-entropy of classes, `"crossEntropy"`, by default. A regression is `"meanSquaredError"` with a model of one output.
   */
  loss?: ObjectiveOf<NoInfer<B>> | LossFunction<NoInfer<Out>, NoInfer<B>>;
  /**
   * Runs forward and backward passes in mixed precision; parameters and optimizer state stay float32. Evaluations run in it
   * too, as in transformers' Trainer. `evaluate(model, batches)` evaluates in float32.
   */
  autocast?: HalfType;
  /** Scales the loss, which float16 needs. Its state is saved in the checkpoint. */
  scaler?: GradScaler;
  /** The seed of dropout; 0 by default. */
  seed?: number;
  /**
   * Computes a step whose ops have occurred three times, with the same shapes, as one function of TensorFlow; true by default. The
   * results are the same, bit for bit. It has no effect on WebAssembly and on a GPU, nor while a probe or a memory budget looks at the ops.
   */
  capture?: boolean;
  /** Batches to evaluate on: before the first step, every `evaluateEvery` steps, and after the last. */
  validation?: TrainingBatches<NoInfer<B>>;
  /**
   * Metrics of the evaluations, over all of `validation` together, for instance `["f1", "auc"]`: precision, recall and F1 are those
   * of class 1 where there are two classes, and means over the classes where there are more. Figures of your own are those that a
   * loss function returns.
   */
  metrics?: readonly MetricName[];
  /** Steps between two evaluations; by default only before the first step and after the last. */
  evaluateEvery?: number;
  /** Ends the training when the evaluations no longer improve. */
  earlyStop?: EarlyStopOptions;
  /** Saves what the training needs to resume in another process. */
  checkpoint?: CheckpointOptions;
  /** Called after every step. */
  onStep?: (record: StepRecord) => void;
  /** Ends the training after the step in which it is aborted; the model keeps its parameters. */
  signal?: AbortSignal;
  /** Shows progress; true by default. In a notebook `"figure"` also plots loss and speed. */
  progress?: boolean | "figure";
}

/** Milliseconds after which the loop yields to the event loop, for displays, timers and interrupts. */
const YIELD_EVERY = 50;

const histories = new WeakMap<object, History>();

/**
 * The history of a model's last training (Keras' `model.history`), also while it runs, and after an interrupt or an error, when
 * `ended` is "unfinished". Undefined for a model that `train` has not trained.
 */
export const historyOf = (model: object): History | undefined => histories.get(model);

/**
 * Trains a model on `batches`. Between steps it holds no memory beyond parameters and optimizer state.
 *
 * With a `checkpoint`, a resumed training takes the same steps as one that was not stopped, bit for bit where the backend's
 * ops are deterministic.
 *
 * @throws Error with the step when the loss, or at the scaler's smallest scale a gradient, is not finite; then the model is as it
 *   was before that step. Also for a loss that depends on no parameter, and a checkpoint of another run
 * @throws TypeError for options that contradict each other, a model without trainable parameters, an optimizer of other
 *   parameters, and a batch that lacks what the loss needs; RangeError for a count that is not a positive integer
 */
export async function train<P extends object, B, Out>(
  options: TrainOptions<P, B, Out> & LossIfNeeded<NoInfer<B>>,
): Promise<History> {
  const { model, optimizer, signal, validation, checkpoint, seed = 0, accumulate = 1 } = options;
  const { evaluateEvery = Number.POSITIVE_INFINITY, autocast, scaler, metrics = [] } = options;
  const loss = lossOf<Out, B>(options.loss);
  checkMetrics(metrics, loss);
  if (metrics.length > 0 && !validation)
    throw new TypeError("metrics needs `validation` batches, which they are computed on");
  checkPositiveInteger("accumulate", accumulate);
  if (checkpoint?.every !== undefined) checkPositiveInteger("checkpoint.every", checkpoint.every);
  if (options.earlyStop && !(validation && options.evaluateEvery)) {
    throw new TypeError("earlyStop needs `validation` batches and `evaluateEvery`");
  }
  if (options.earlyStop?.by === "accuracy" && loss.name === "meanSquaredError") {
    throw new TypeError('earlyStop by accuracy needs classes; use by: "loss" for a regression');
  }
  const rateOf = options.learningRate === undefined ? undefined : scheduleOf("learningRate", options.learningRate);
  const observing = isObserving(options.learningRate) ? options.learningRate : undefined;
  if (observing && !(validation && options.evaluateEvery)) {
    throw new TypeError("a learning rate of reduceOnPlateau needs `validation` batches and `evaluateEvery`");
  }
  checkModel(model, optimizer);
  const functions = options.capture === false ? undefined : stepFunctions(model, optimizer);
  const batches = epochsOf(options.batches);
  const total = stepCount(options, batches) ?? Number.POSITIVE_INFINITY;
  const history: History = { steps: [], evaluations: [], milliseconds: 0, ended: "unfinished" };
  if (loss.name) history.loss = loss.name;
  histories.set(model, history);
  const stopping = options.earlyStop && earlyStop(model, options.earlyStop);
  const identity = checkpoint && runIdentity(batches, seed, accumulate);
  if (checkpoint) requireWritable(checkpoint.path, "choose another path for the checkpoint");
  const resumed =
    checkpoint && checkpoint.resume !== false
      ? loadCheckpoint(checkpoint.path, model, optimizer, identity!)
      : undefined;
  Object.assign(history, resumed?.history);
  if (scaler && resumed?.scaler) scaler.loadStateDict(resumed.scaler);
  if (observing && resumed?.schedule) observing.loadStateDict(resumed.schedule);
  if (stopping && resumed?.earlyStop) Object.assign(stopping.state, resumed.earlyStop);

  const bar = options.progress === false ? undefined : progress(total, history, options.progress === "figure");
  const started = performance.now() - (resumed?.elapsed ?? 0);
  let cursor = resumed?.cursor ?? { epoch: 0, batch: 0 };
  let taken = resumed?.step ?? 0;
  // Steps of the schedule: a step that the scaler skips does not count, as in transformers' Trainer.
  let updates = history.steps.filter(({ skipped }) => !skipped).length;
  let yielded = performance.now();
  let saved = taken;

  const evaluateNow = () => {
    if (!validation) return false;
    const evaluation = { step: taken, ...evaluateLoss(model, validation, loss, { autocast, metrics }) };
    history.evaluations.push(evaluation);
    observing?.observe(evaluation);
    return stopping?.after(evaluation) ?? false;
  };
  const save = () => {
    if (!checkpoint || saved === taken) return;
    const state = {
      step: taken,
      cursor,
      elapsed: performance.now() - started,
      history,
      earlyStop: stopping?.state,
      scaler: scaler?.stateDict(),
      schedule: observing?.stateDict(),
    };
    saveCheckpoint(checkpoint.path, model, optimizer, state, identity!);
    saved = taken;
  };

  if (!resumed) evaluateNow();
  const isDone = taken >= total || ended(stopping, options);
  for (const group of isDone ? [] : groups(batches, cursor, accumulate, options.epochs)) {
    const made = performance.now();
    const used = processorTime();
    const step = taken + 1;
    const learningRate = rateOf?.(updates);
    const settings = { step, learningRate, seed, autocast, scaler, loss, functions };
    const own = takeStep(model, optimizer, group.batches, settings);
    const now = performance.now();
    const processor = processorTime();
    const record: StepRecord = {
      ...own,
      times: { ...own.times, data: group.milliseconds },
      epoch: group.epoch,
      milliseconds: now - made + group.milliseconds,
      processor: processor - used + group.processor,
      elapsed: now - started,
    };
    taken = step;
    if (!record.skipped) updates++;
    cursor = group.next;
    history.steps.push(record);
    history.milliseconds = record.elapsed;
    const enough = (step === total || step % evaluateEvery === 0) && evaluateNow();
    bar?.step(record);
    options.onStep?.(record);
    if (checkpoint?.every && step % checkpoint.every === 0) save();
    if (performance.now() - yielded > YIELD_EVERY) {
      await setImmediate();
      stopIfInterrupted();
      yielded = performance.now();
    }
    if (signal?.aborted) history.ended = "aborted";
    else if (enough && step < total) history.ended = "no longer improving";
    if (step === total || history.ended !== "unfinished") break;
  }
  // Where the number of steps was not known, the last one is known only now.
  if (
    total === Number.POSITIVE_INFINITY &&
    history.ended === "unfinished" &&
    history.evaluations.at(-1)?.step !== taken
  ) {
    evaluateNow();
  }
  save();
  if (taken < total && ended(stopping, options)) history.ended = "no longer improving";
  if (history.ended === "unfinished") history.ended = "all steps taken";
  if (history.ended !== "aborted") stopping?.end();
  if (stopping?.state.best) history.best = stopping.state.best;
  bar?.end();
  history.milliseconds = performance.now() - started;
  return history;
}

/** Whether a resumed run had already stopped early. */
function ended(stopping: EarlyStop | undefined, { earlyStop }: Pick<TrainOptions, "earlyStop">): boolean {
  return stopping !== undefined && stopping.state.since >= earlyStop!.patience;
}

/** The number of steps; undefined where only the batches of an epoch tell how many it has. */
function stepCount(
  { steps, epochs, accumulate = 1 }: Pick<TrainOptions, "steps" | "epochs" | "accumulate">,
  batches: Epochs<unknown>,
): number | undefined {
  if ((steps === undefined) === (epochs === undefined)) throw new TypeError("train needs either `steps` or `epochs`");
  if (steps !== undefined) {
    checkPositiveInteger("steps", steps);
    return steps;
  }
  checkPositiveInteger("epochs", epochs!);
  let total = 0;
  for (let epoch = 0; epoch < epochs!; epoch++) {
    const count = batches.count(epoch);
    if (count === undefined) return undefined;
    total += Math.ceil(count / accumulate);
  }
  return total;
}
