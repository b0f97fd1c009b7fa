import { checkPositiveInteger } from "../base/checks.ts";
import type { Classifier } from "../nn/index.ts";
import { tf } from "../runtime/index.ts";
import { parameterList } from "../tensor/index.ts";
import type { Evaluation } from "./training-log.ts";

export interface EarlyStopOptions {
  /** Evaluations without improvement after which the training ends. */
  patience: number;
  /** What must improve: the validation loss must fall (the default) or the accuracy rise. */
  by?: "loss" | "accuracy";
  /** A change smaller than this is no improvement; 0 by default. */
  minimumChange?: number;
  /** Gives the model back the parameters of its best evaluation; true by default. */
  restoreBest?: boolean;
}

/** What early stopping remembers from evaluation to evaluation. */
export interface EarlyStopState {
  best: Evaluation | undefined;
  /** Evaluations since the best one. */
  since: number;
  /** The parameters at the best one, when they are to be given back. */
  parameters: Record<string, Float32Array>;
}

/** Watches the evaluations of a training run. */
export interface EarlyStop {
  state: EarlyStopState;
  /** True when the training should end. */
  after(evaluation: Evaluation): boolean;
  /** Gives the best parameters back. */
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

/** A copy of every parameter, by its path. */
export function parameterValues(model: Classifier): Record<string, Float32Array> {
  return Object.fromEntries(
    parameterList(model.parameters).map(({ name, variable }) => [name, variable.dataSync().slice() as Float32Array]),
  );
}

/** @throws RangeError when a parameter is missing or of another size */
export function assignParameters(model: Classifier, values: Readonly<Record<string, Float32Array>>): void {
  for (const { name, variable } of parameterList(model.parameters)) {
    const own = values[name];
    if (own?.length !== variable.size) {
      throw new RangeError(
        `${name} has ${variable.size} numbers in the model and ${own?.length ?? "none"} in the copy`,
      );
    }
    tf.tidy(() => variable.assign(tf.tensor(own, variable.shape)));
  }
}
