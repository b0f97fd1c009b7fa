import { setImmediate } from "node:timers/promises";
import { checkPositiveInteger } from "../base/checks.ts";
import { requireWritable } from "../base/files.ts";
import { place } from "../distributed/exchange.ts";
import { gatherValues, ofFirst } from "../distributed/gather.ts";
import { WorkerError } from "../distributed/worker-error.ts";
import { stopIfInterrupted } from "../runtime/index.ts";
import { abortedInAny, checkAgreement, shareParameters } from "./agreement.ts";
import { loadCheckpoint, runIdentity, saveCheckpoint } from "./checkpoint.ts";
import { trainingControls } from "./controls.ts";
import { type EarlyStop, earlyStop } from "./early-stop.ts";
import { evaluateLoss } from "./evaluate.ts";
import { lossOf } from "./loss.ts";
import { checkMetrics } from "./metrics/collect.ts";
import type { LossIfNeeded } from "./objective.ts";
import { progress } from "./progress.ts";
import { isObserving } from "./reduce-on-plateau.ts";
import { scheduleOf } from "./schedule.ts";
import { takeStep } from "./step.ts";
import { stepFunctions } from "./step-functions.ts";
import type { TrainOptions } from "./train-options.ts";
import { checkModel } from "./trained-model.ts";
import { type Epochs, epochsOf, groups, processorTime } from "./training-batches.ts";
import type { History, StepRecord } from "./training-log.ts";

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
 * The workers that `halftone train` has started train one model together: they divide the rows of each batch, and each step has the loss
 * and the gradient that one worker would have. The first worker evaluates, shows progress and writes checkpoints; it also reads them, so
 * that a training may be resumed by another number of workers.
 *
 * With a `checkpoint`, a resumed training takes the same steps as one that was not stopped, bit for bit where the backend's
 * ops are deterministic.
 *
 * @throws Error with the step when the loss, or at the scaler's smallest scale a gradient, is not finite; then the model is as it
 *   was before that step. Also for a loss that depends on no parameter, a checkpoint of another run, and workers that differ
 * @throws WorkerError when another worker has ended or is late; then the checkpoint has the steps so far
 * @throws TypeError for options that contradict each other, a model without trainable parameters, an optimizer of other
 *   parameters, and a batch that lacks what the loss needs; RangeError for a count that is not a positive integer
 */
export async function train<P extends object, B, Out>(
  options: TrainOptions<P, B, Out> & LossIfNeeded<NoInfer<B>>,
): Promise<History> {
  const { model, optimizer, signal, validation, checkpoint, seed = 0, accumulate = 1 } = options;
  const { evaluateEvery = Number.POSITIVE_INFINITY, autocast, scaler, metrics = [] } = options;
  const { gradientCheckpointing = false, reduceIn } = options;
  const { rank, size } = place();
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
  const identity = checkpoint || size > 1 ? runIdentity(batches, seed, accumulate) : undefined;
  if (size > 1) {
    checkAgreement(
      {
        ...identity,
        loss: loss.name,
        steps: total,
        evaluateEvery,
        autocast,
        reduceIn,
        checkpoint: checkpoint ? "given" : "none",
      },
      model,
    );
  }
  const signals = size > 1 && gatherValues(signal !== undefined).some(Boolean);
  if (checkpoint) ofFirst(() => requireWritable(checkpoint.path, "choose another path for the checkpoint"));
  const resumed =
    checkpoint && checkpoint.resume !== false
      ? loadCheckpoint(checkpoint.path, model, optimizer, identity!)
      : undefined;
  if (!resumed) shareParameters(model);
  Object.assign(history, resumed?.history);
  if (scaler && resumed?.scaler) scaler.loadStateDict(resumed.scaler);
  if (observing && resumed?.schedule) observing.loadStateDict(resumed.schedule);
  if (stopping && resumed?.earlyStop) Object.assign(stopping.state, resumed.earlyStop);

  const bar =
    options.progress === false || rank > 0 ? undefined : progress(total, history, options.progress === "figure");
  const controls = options.progress === "figure" && size === 1 ? await trainingControls() : undefined;
  const started = performance.now() - (resumed?.elapsed ?? 0);
  let cursor = resumed?.cursor ?? { epoch: 0, batch: 0 };
  let taken = resumed?.step ?? 0;
  // Steps of the schedule: a step that the scaler skips does not count, as in transformers' Trainer.
  let updates = history.steps.filter(({ skipped }) => !skipped).length;
  let yielded = performance.now();
  let saved = taken;

  const evaluateNow = () => {
    if (!validation) return false;
    const evaluation = ofFirst(() => ({
      step: taken,
      ...evaluateLoss(model, validation, loss, { autocast, metrics }),
    }));
    history.evaluations.push(evaluation);
    observing?.observe(evaluation);
    return stopping?.after(evaluation) ?? false;
  };
  const write = () => {
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
  const save = () => {
    if (checkpoint) ofFirst(write);
  };
  /** When other workers are lost, the first one that is left writes the checkpoint. */
  const withStateKept = (error: unknown): unknown => {
    if (!(error instanceof WorkerError) || !checkpoint) return error;
    if (Array.from({ length: rank }, (_, other) => other).every((other) => error.ranks.includes(other))) write();
    const { message, ranks, cause } = error;
    const kept = `The state of the training after step ${taken} is in ${checkpoint.path}; the same command continues from it`;
    return new WorkerError(`${message}. ${kept}`, ranks, cause);
  };

  try {
    if (!resumed) evaluateNow();
    const isDone = taken >= total || ended(stopping, options);
    for (const group of isDone ? [] : groups(batches, cursor, accumulate, options.epochs)) {
      const made = performance.now();
      const used = processorTime();
      const step = taken + 1;
      const given = rateOf?.(updates);
      const learningRate = controls ? controls.rateOf(given, optimizer) : given;
      const settings = {
        step,
        learningRate,
        seed,
        part: group.part,
        autocast,
        scaler,
        loss,
        functions,
        gradientCheckpointing,
        reduceIn,
      };
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
      if (abortedInAny(signals, signal) || controls?.isStopped) history.ended = "aborted";
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
    if (size > 1) gatherValues(undefined);
  } catch (error) {
    throw withStateKept(error);
  }
  if (taken < total && ended(stopping, options)) history.ended = "no longer improving";
  if (history.ended === "unfinished") history.ended = "all steps taken";
  if (history.ended !== "aborted") stopping?.end();
  if (stopping?.state.best) history.best = stopping.state.best;
  bar?.end();
  controls?.end();
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
