import { directionOf, type WatchedFigure } from "./direction.ts";
import { type Schedule, scheduleOf } from "./schedule.ts";

/** Options of `reduceOnPlateau`, with the defaults of PyTorch's ReduceLROnPlateau. */
export type PlateauOptions = WatchedFigure & {
  /** What the rate is multiplied by; 0.1 by default. */
  factor?: number;
  /** Evaluations without improvement that are tolerated; the next one reduces the rate. 10 by default. */
  patience?: number;
  /** The smallest improvement; 1e-4 by default. */
  threshold?: number;
  /** Whether `threshold` is a share of the best value or a difference from it; `"relative"` by default. */
  thresholdMode?: "relative" | "absolute";
  /** Evaluations after a reduction that are not counted; 0 by default. */
  cooldown?: number;
  /** The smallest rate that a reduction leads to; 0 by default. */
  minRate?: number;
};

/** The state of a schedule that sees evaluations. */
export interface PlateauState {
  /** The best value so far; null before the first evaluation. */
  best: number | null;
  /** Evaluations since then. */
  bad: number;
  /** Evaluations of the cooldown that are left. */
  cooling: number;
  /** All reductions so far, multiplied. */
  scale: number;
}

/** A schedule that sees evaluations. `train` calls `observe` after each of them, and saves the state in its checkpoints. */
export interface ObservingSchedule extends Schedule {
  /** Takes an evaluation into account: an object with the figure that must improve. Throws TypeError where it has none. */
  observe(evaluation: object): void;
  /** A copy of the state, to be saved. */
  stateDict(): PlateauState;
  /** Continues from a saved state. Throws TypeError when it is not one of `stateDict`. */
  loadStateDict(state: PlateauState): void;
}

export const isObserving = (rate: number | Schedule | undefined): rate is ObservingSchedule =>
  typeof rate === "function" && "observe" in rate;

/**
 * A rate, or a schedule of rates, that is multiplied by `factor` when evaluations no longer improve (PyTorch's
 * ReduceLROnPlateau).
 *
 *     train({ model, batches, optimizer, steps, validation, evaluateEvery: 100, learningRate: reduceOnPlateau(1e-3, { patience: 3 }) });
 *
 * @throws RangeError for a factor outside (0, 1), or another negative option; TypeError for a rate that is neither a number nor a
 *   schedule, a figure of your own without `mode`, and, in `observe`, for an evaluation without the figure
 */
export function reduceOnPlateau(rate: number | Schedule, options: PlateauOptions = {}): ObservingSchedule {
  const { factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "relative", cooldown = 0 } = options;
  const { minRate = 0, by = "loss" } = options;
  const mode = directionOf("reduceOnPlateau", options);
  if (!(factor > 0 && factor < 1)) throw new RangeError(`factor must lie between 0 and 1, got ${factor}`);
  for (const [name, value] of Object.entries({ patience, threshold, cooldown, minRate }))
    if (!(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
  const base = scheduleOf("reduceOnPlateau: the rate", rate);
  let state: PlateauState = { best: null, bad: 0, cooling: 0, scale: 1 };

  const isBetter = (value: number, best: number) => {
    const step = thresholdMode === "relative" ? best * threshold : threshold;
    return mode === "min" ? value < best - step : value > best + step;
  };
  const schedule = (step: number) => {
    const rate = base(step);
    return state.scale === 1 ? rate : Math.max(rate * state.scale, Math.min(minRate, rate));
  };
  return Object.assign(schedule, {
    observe(evaluation: object) {
      const value = figureOf(evaluation, by);
      if (state.best === null || isBetter(value, state.best)) {
        state.best = value;
        state.bad = 0;
      } else state.bad++;
      if (state.cooling > 0) {
        state.cooling--;
        state.bad = 0;
      }
      if (state.bad > patience) {
        state.scale *= factor;
        state.cooling = cooldown;
        state.bad = 0;
      }
    },
    stateDict: () => ({ ...state }),
    loadStateDict(saved: PlateauState) {
      checkState(saved);
      state = { ...saved };
    },
  });
}

function checkState(saved: PlateauState): void {
  const { best, bad, cooling, scale } = (saved ?? {}) as Partial<PlateauState>;
  if ([best === null ? 0 : best, bad, cooling, scale].every((value) => typeof value === "number")) return;
  throw new TypeError(
    `reduceOnPlateau: expected a state as stateDict() gives it, with best, bad, cooling and scale, got ${Object.keys(saved ?? {}).join(", ") || "nothing"}`,
  );
}

/** A figure of an evaluation, or of its `metrics`. */
function figureOf(evaluation: object, by: string): number {
  const { metrics = {}, ...own } = evaluation as Record<string, unknown> & { metrics?: object };
  const figures: Record<string, unknown> = { ...metrics, ...own };
  const value = figures[by];
  if (typeof value !== "number")
    throw new TypeError(`reduceOnPlateau: the evaluation has no ${by}, only ${Object.keys(figures).join(", ")}`);
  return value;
}
