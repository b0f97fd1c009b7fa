import { setImmediate } from "node:timers/promises";
import type { GradScaler, HalfType } from "../amp/index.ts";
import { checkPositiveInteger } from "../base/checks.ts";
import type { Batch, Batches, Place } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import { stopIfInterrupted } from "../runtime/index.ts";
import { type CheckpointOptions, loadCheckpoint, runIdentity, saveCheckpoint } from "./checkpoint.ts";
import { type EarlyStopOptions, earlyStop } from "./early-stop.ts";
import { evaluate } from "./evaluate.ts";
import { checkObjective, type Objective } from "./loss.ts";
import type { Optimizer } from "./optimizer.ts";
import { progress } from "./progress.ts";
import type { Schedule } from "./schedule.ts";
import { takeStep } from "./step.ts";
import type { History, StepRecord } from "./training-log.ts";

export interface TrainOptions {
  model: Classifier;
  /** By any strategy. */
  batches: Batches;
  /** Over the model's parameters: `adamW(model.parameters)`. */
  optimizer: Optimizer;
  /** How long: a number of steps, or of passes over the data. One of the two. */
  steps?: number;
  epochs?: number;
  /** Batches whose gradients make one step, as if they were one batch; 1 by default. An epoch's last step may have fewer. */
  accumulate?: number;
  /**
   * The learning rate by step; the optimizer's own by default. Only steps that changed the model are counted: one that the
   * scaler leaves out gets the rate that the next one gets, too.
   */
  learningRate?: Schedule;
  /**
   * What is learned: `"crossEntropy"` of classes, the default, or `"meanSquaredError"` of real labels, with a model of one
   * output (`classes: 1`). A regression has no accuracy: it is NaN throughout.
   */
  loss?: Objective;
  /**
   * Runs forward and backward passes in mixed precision; parameters and optimizer stay float32. Evaluations run in it too,
   * as in transformers' Trainer: they show the model as it is trained. `evaluate(model, batches)` gives float32's figures.
   */
  autocast?: HalfType;
  /** Scales the loss, which float16 needs; its state goes into the checkpoint. */
  scaler?: GradScaler;
  /** Decides what dropout drops. */
  seed?: number;
  /** Batches to evaluate on: before the first step, every `evaluateEvery` steps, and after the last. */
  validation?: Iterable<Batch>;
  evaluateEvery?: number;
  /** Ends the training when the evaluations no longer improve. */
  earlyStop?: EarlyStopOptions;
  /** Keeps what the training needs to go on after the process has ended. */
  checkpoint?: CheckpointOptions;
  onStep?: (record: StepRecord) => void;
  /** Ends the training after the step in which it is aborted; what was learned stays. */
  signal?: AbortSignal;
  /** Shows progress; true by default. In a notebook `"figure"` also draws loss and speed, in one place. */
  progress?: boolean | "figure";
}

/** Milliseconds after which the event loop gets its turn: displays, timers, an interrupt. */
const BREATH = 50;

const histories = new WeakMap<object, History>();

/**
 * The history of a model's last training, step by step while it runs: also of one that Stop or an error has ended, which is
 * then "unfinished". Keras' `model.history`. Undefined for a model that `train` has not trained.
 */
export const historyOf = (model: object): History | undefined => histories.get(model);

/**
 * Trains a model on `batches`: forward, backward, clip and update, step by step. Holds no memory from step to step
 * beyond parameters and optimizer state.
 *
 * With a `checkpoint`, the training that is taken up again takes the steps that the one which never stopped takes, bit for
 * bit where the backend's operations are deterministic.
 *
 * @throws Error when the loss, or at the scaler's smallest scale a gradient, is not finite, naming the step
 */
export async function train(options: TrainOptions): Promise<History> {
  const { model, batches, optimizer, signal, validation, checkpoint, seed = 0, accumulate = 1 } = options;
  const { evaluateEvery = Number.POSITIVE_INFINITY, loss: objective = "crossEntropy", autocast, scaler } = options;
  checkObjective(objective);
  checkPositiveInteger("accumulate", accumulate);
  if (checkpoint?.every !== undefined) checkPositiveInteger("checkpoint.every", checkpoint.every);
  if (options.earlyStop && !(validation && options.evaluateEvery)) {
    throw new TypeError("earlyStop needs validation batches and evaluateEvery");
  }
  if (options.earlyStop?.by === "accuracy" && objective === "meanSquaredError") {
    throw new TypeError("earlyStop by accuracy needs classes: a regression stops by its loss");
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
  if (stopping && resumed?.earlyStop) Object.assign(stopping.state, resumed.earlyStop);

  const bar = options.progress === false ? undefined : progress(total, history, options.progress === "figure");
  const started = performance.now() - (resumed?.elapsed ?? 0);
  let place = resumed?.place ?? { epoch: 0, batch: 0 };
  let taken = resumed?.step ?? 0;
  // The schedule's place: a step that a scaler leaves out does not move it, as in transformers' Trainer.
  let updates = history.steps.filter(({ skipped }) => !skipped).length;
  let breathed = performance.now();
  let saved = taken;

  const evaluateNow = () => {
    if (!validation) return false;
    const evaluation = { step: taken, ...evaluate(model, validation, { loss: objective, autocast }) };
    history.evaluations.push(evaluation);
    return stopping?.after(evaluation) ?? false;
  };
  const save = () => {
    if (!checkpoint || saved === taken) return;
    const state = {
      step: taken,
      place,
      elapsed: performance.now() - started,
      history,
      earlyStop: stopping?.state,
      scaler: scaler?.stateDict(),
    };
    saveCheckpoint(checkpoint.path, model, optimizer, state, identity!);
    saved = taken;
  };

  if (!resumed) evaluateNow();
  for (const group of taken < total && !ended(stopping, options) ? groups(batches, place, accumulate) : []) {
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
    place = group.next;
    history.steps.push(record);
    history.milliseconds = record.elapsed;
    // A scaler makes good an overflow by a smaller scale, and throws where there is none.
    if (!Number.isFinite(record.loss) && !record.skipped) {
      throw new Error(`the loss is ${record.loss} at step ${step}: lower the learning rate, or clip the gradients`);
    }
    const enough = (step === total || step % evaluateEvery === 0) && evaluateNow();
    bar?.step(record);
    options.onStep?.(record);
    if (checkpoint?.every && step % checkpoint.every === 0) save();
    if (performance.now() - breathed > BREATH) {
      await setImmediate();
      stopIfInterrupted();
      breathed = performance.now();
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

/** True when a run that is taken up again had already stopped by itself. */
function ended(stopping: ReturnType<typeof earlyStop> | undefined, options: TrainOptions): boolean {
  return stopping !== undefined && stopping.state.since >= options.earlyStop!.patience;
}

interface Group {
  batches: Batch[];
  epoch: number;
  /** Where the next one begins. */
  next: Place;
  /** How long the batches took to make, by the clock and in processor time. */
  milliseconds: number;
  processor: number;
}

/** The batches of one step after another, from a place on, without end. */
function* groups(batches: Batches, from: Place, accumulate: number): Generator<Group> {
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
  if ((asked === undefined) === (epochs === undefined)) throw new TypeError("train needs either steps or epochs");
  if (asked !== undefined) {
    checkPositiveInteger("steps", asked);
    return asked;
  }
  checkPositiveInteger("epochs", epochs!);
  let total = 0;
  for (let epoch = 0; epoch < epochs!; epoch++) total += Math.ceil(batches.plan.epoch(epoch).length / accumulate);
  return total;
}
