import { checkPositiveInteger } from "../base/checks.ts";
import { directionOf, type WatchedFigure } from "./direction.ts";
import { assignParameters, type ParameterValues, parameterValues } from "./trained-model.ts";
import type { Evaluation } from "./training-log.ts";

/** When to stop a training whose evaluations do not improve. */
export type EarlyStopOptions = WatchedFigure & {
  /** Evaluations without improvement after which the training ends. */
  patience: number;
  /** The smallest change that counts as an improvement; 0 by default. */
  minimumChange?: number;
  /** Restores the parameters of the best evaluation at the end; true by default. */
  restoreBest?: boolean;
};

/** The state of early stopping between evaluations. */
export interface EarlyStopState {
  best: Evaluation | undefined;
  /** Evaluations since the best one. */
  since: number;
  /** The parameters at the best evaluation, if they are to be restored. */
  parameters: ParameterValues;
}

/** Watches the evaluations of a training run. */
export interface EarlyStop {
  state: EarlyStopState;
  /** Whether the training should end. */
  after(evaluation: Evaluation): boolean;
  /** Restores the best parameters. */
  end(): void;
}

/** @throws RangeError for a negative option; TypeError when it is not known whether the measure should rise or fall */
export function earlyStop(model: { readonly parameters: object }, options: EarlyStopOptions): EarlyStop {
  const { patience, by = "loss", minimumChange = 0, restoreBest = true } = options;
  checkPositiveInteger("patience", patience);
  if (!(minimumChange >= 0)) throw new RangeError(`minimumChange must be 0 or more, got ${minimumChange}`);
  const mode = directionOf("earlyStop", options);
  const state: EarlyStopState = { best: undefined, since: 0, parameters: {} };
  const better = (evaluation: Evaluation, best: Evaluation) => {
    const gain = measured(evaluation, by) - measured(best, by);
    return (mode === "min" ? -gain : gain) > minimumChange;
  };
  return {
    state,
    after(evaluation) {
      measured(evaluation, by);
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

/** @throws TypeError when the evaluation has no such measure */
function measured({ loss, metrics }: Evaluation, by: string): number {
  if (by === "loss") return loss;
  if (Object.hasOwn(metrics, by)) return metrics[by]!;
  const names = ["loss", ...Object.keys(metrics)].map((name) => `"${name}"`).join(" or ");
  throw new TypeError(`earlyStop by "${by}": the evaluation does not have it; use ${names}`);
}
