import { setImmediate } from "node:timers/promises";
import type { GradScaler, HalfType } from "../amp/index.ts";
import { checkPositiveInteger } from "../base/checks.ts";
import type { Batch, Batches, DataCursor } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import { stopIfInterrupted } from "../runtime/index.ts";
import { type CheckpointOptions, loadCheckpoint, runIdentity, saveCheckpoint } from "./checkpoint.ts";
import { type EarlyStopOptions, earlyStop } from "./early-stop.ts";
import { evaluate } from "./evaluate.ts";
import { checkObjective, type Objective } from "./loss.ts";
import type { Optimizer } from "./optimizer.ts";
import { progress } from "./progress.ts";
import { isObserving } from "./reduce-on-plateau.ts";
import type { Schedule } from "./schedule.ts";
import { takeStep } from "./step.ts";
import type { History, StepRecord } from "./training-log.ts";

/** Options of `train`. */
export interface TrainOptions {
  model: Classifier;
  /** Batches of any strategy. */
  batches: Batches;
  /** An optimizer of the model's parameters: `adamW(model.parameters)`. */
  optimizer: Optimizer;
  /** The number of steps. Give either `steps` or `epochs`. */
  steps?: number;
  /** The number of passes over the data. */
  epochs?: number;
  /** Batches whose gradients make one step, as if they were one batch; 1 by default. An epoch's last step may have fewer. */
  accumulate?: number;
  /**
   * The learning rate by step; the optimizer's own by default. Only steps that changed the model are counted, so a step that
   * the scaler skips does not advance the schedule. One of `reduceOnPlateau` also sees the evaluations.
   */
  learningRate?: Schedule;
  /**
   * The objective: `"crossEntropy"` of classes, the default, or `"meanSquaredError"` of real labels with a model of one output
   * (`classes: 1`). The accuracy of a regression is NaN.
   */
  loss?: Objective;
  /**
   * Runs forward and backward passes in mixed precision; parameters and optimizer state stay float32. Evaluations run in it
   * too, as in transformers' Trainer. `evaluate(model, batches)` evaluates in float32.
   */
  autocast?: HalfType;
  /** Scales the loss, which float16 needs. Its state is saved in the checkpoint. */
  scaler?: GradScaler;
  /** The seed of dropout; 0 by default. */
  seed?: number;
  /** Batches to evaluate on: before the first step, every `evaluateEvery` steps, and after the last. */
  validation?: Iterable<Batch>;
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
 * @throws Error with the step when the loss, or at the scaler's smallest scale a gradient, is not finite, and for a
 *   checkpoint of another run
 * @throws TypeError for options that contradict each other; RangeError for a count that is not a positive integer
 */
export async function train(options: TrainOptions): Promise<History> {
  const { model, batches, optimizer, signal, validation, checkpoint, seed = 0, accumulate = 1 } = options;
  const { evaluateEvery = Number.POSITIVE_INFINITY, loss: objective = "crossEntropy", autocast, scaler } = options;
  checkObjective(objective);
  checkPositiveInteger("accumulate", accumulate);
  if (checkpoint?.every !== undefined) checkPositiveInteger("checkpoint.every", checkpoint.every);
  if (options.earlyStop && !(validation && options.evaluateEvery)) {
    throw new TypeError("earlyStop needs `validation` batches and `evaluateEvery`");
  }
  if (options.earlyStop?.by === "accuracy" && objective === "meanSquaredError") {
    throw new TypeError('earlyStop by accuracy needs classes; use by: "loss" for a regression');
  }
  const observing = isObserving(options.learningRate) ? options.learningRate : undefined;
  if (observing && !(validation && options.evaluateEvery)) {
    throw new TypeError("a learning rate of reduceOnPlateau needs `validation` batches and `evaluateEvery`");
  }
  const total = stepCount(options);
  const history: History = { steps: [], evaluations: [], milliseconds: 0, ended: "unfinished" };
  histories.set(model, history);
  const stopping = options.earlyStop && earlyStop(model, options.earlyStop);
  const identity = checkpoint && runIdentity(batches, seed, accumulate);
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
    const evaluation = { step: taken, ...evaluate(model, validation, { loss: objective, autocast }) };
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
  for (const group of taken < total && !ended(stopping, options) ? groups(batches, cursor, accumulate) : []) {
    const made = performance.now();
    const used = processorTime();
    const step = taken + 1;
    const learningRate = options.learningRate?.(updates);
    const how = { step, learningRate, seed, autocast, scaler, loss: objective };
    const own = takeStep(model, optimizer, group.batches, how);
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
    // With a scaler an overflow lowers the scale, and the scaler throws at the smallest one.
    if (!Number.isFinite(record.loss) && !record.skipped) {
      throw new Error(`the loss is ${record.loss} at step ${step}: lower the learning rate, or clip the gradients`);
    }
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
function ended(stopping: ReturnType<typeof earlyStop> | undefined, options: TrainOptions): boolean {
  return stopping !== undefined && stopping.state.since >= options.earlyStop!.patience;
}

interface Group {
  batches: Batch[];
  epoch: number;
  /** Where the next one begins. */
  next: DataCursor;
  /** How long the batches took to make, by the clock and in processor time. */
  milliseconds: number;
  processor: number;
}

/** The batches of each step, from a position on, without end. */
function* groups(batches: Batches, from: DataCursor, accumulate: number): Generator<Group> {
  let { epoch, batch: at } = from;
  for (; ; epoch++, at = 0) {
    const waiting = batches.epoch(epoch, at)[Symbol.iterator]();
    try {
      for (;;) {
        const began = performance.now();
        const used = processorTime();
        const group: Batch[] = [];
        while (group.length < accumulate) {
          const { value, done } = waiting.next();
          if (done) break;
          group.push(value);
        }
        if (group.length === 0) break;
        at += group.length;
        const milliseconds = performance.now() - began;
        const processor = processorTime() - used;
        yield { batches: group, epoch, next: { epoch, batch: at }, milliseconds, processor };
      }
    } finally {
      waiting.return?.();
    }
  }
}

/** Milliseconds of processor time of this process so far, all threads together. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function stepCount({ steps: asked, epochs, batches, accumulate = 1 }: TrainOptions): number {
  if ((asked === undefined) === (epochs === undefined)) throw new TypeError("train needs either `steps` or `epochs`");
  if (asked !== undefined) {
    checkPositiveInteger("steps", asked);
    return asked;
  }
  checkPositiveInteger("epochs", epochs!);
  let total = 0;
  for (let epoch = 0; epoch < epochs!; epoch++) total += Math.ceil(batches.plan.epoch(epoch).length / accumulate);
  return total;
}
