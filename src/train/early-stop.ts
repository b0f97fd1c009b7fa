import { checkPositiveInteger } from "../base/checks.ts";
import type { Classifier } from "../nn/index.ts";
import { tf } from "../runtime/index.ts";
import { parameterList } from "../tensor/index.ts";
import type { Evaluation } from "./training-log.ts";

/** When to stop a training whose evaluations do not improve. */
export interface EarlyStopOptions {
  /** Evaluations without improvement after which the training ends. */
  patience: number;
  /** The measure that must improve: validation loss (the default) or accuracy. */
  by?: "loss" | "accuracy";
  /** The smallest change that counts as an improvement; 0 by default. */
  minimumChange?: number;
  /** Restores the parameters of the best evaluation at the end; true by default. */
  restoreBest?: boolean;
}

/** The state of early stopping between evaluations. */
export interface EarlyStopState {
  best: Evaluation | undefined;
  /** Evaluations since the best one. */
  since: number;
  /** The parameters at the best evaluation, if they are to be restored. */
  parameters: Record<string, Float32Array>;
}

/** Watches the evaluations of a training run. */
export interface EarlyStop {
  state: EarlyStopState;
  /** Whether the training should end. */
  after(evaluation: Evaluation): boolean;
  /** Restores the best parameters. */
  end(): void;
}

export function earlyStop(model: Classifier, options: EarlyStopOptions): EarlyStop {
  const { patience, by = "loss", minimumChange = 0, restoreBest = true } = options;
  checkPositiveInteger("patience", patience);
  if (!(minimumChange >= 0)) throw new RangeError(`minimumChange must be 0 or more, got ${minimumChange}`);
  const state: EarlyStopState = { best: undefined, since: 0, parameters: {} };
  const better = (evaluation: Evaluation, best: Evaluation) =>
    (by === "loss" ? best.loss - evaluation.loss : evaluation.accuracy - best.accuracy) > minimumChange;
  return {
    state,
    after(evaluation) {
      if (state.best && !better(evaluation, state.best)) return ++state.since >= patience;
      state.best = evaluation;
      state.since = 0;
      if (restoreBest) state.parameters = parameterValues(model);
      return false;
    },
    end() {
      if (restoreBest && state.best) assignParameters(model, state.parameters);
    },
  };
}

/** A copy of every parameter, by path. */
export function parameterValues(model: Classifier): Record<string, Float32Array> {
  return Object.fromEntries(
    parameterList(model.parameters).map(({ name, variable }) => [name, variable.dataSync().slice() as Float32Array]),
  );
}

/** @throws RangeError when a parameter is missing or has another size */
export function assignParameters(model: Classifier, values: Readonly<Record<string, Float32Array>>): void {
  for (const { name, variable } of parameterList(model.parameters)) {
    const own = values[name];
    if (own?.length !== variable.size) {
      throw new RangeError(
        `Parameter size mismatch: ${name} has ${variable.size} elements in the model, ${own?.length ?? "none"} in the saved state.`,
      );
    }
    tf.tidy(() => variable.assign(tf.tensor(own, variable.shape)));
  }
}
