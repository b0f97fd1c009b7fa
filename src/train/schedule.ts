import { inspect } from "node:util";
import { checkPositiveInteger } from "../base/checks.ts";

/** The learning rate by step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * The schedule of a learning rate that may be a number.
 *
 * @throws TypeError for what is neither
 */
export function scheduleOf(name: string, rate: number | Schedule): Schedule {
  if (typeof rate === "function") return rate;
  if (typeof rate === "number") return constantRate(rate);
  throw new TypeError(`${name} must be a number or a schedule (a function of the step), got ${inspect(rate)}`);
}

/** Options of `warmUp`. */
export interface WarmUpOptions {
  /** The highest rate, reached at the end of the warm-up. */
  peak: number;
  /** Steps over which the rate rises linearly. */
  warmUp: number;
  /** Steps in all, at which the rate is 0. Without it the rate stays at its peak. */
  total?: number;
  /** The shape of the decay; `"linear"` by default. */
  decay?: "linear" | "cosine";
}

/**
 * A rate that rises linearly to `peak` over `warmUp` steps, then stays, or decays to 0 at step `total` (transformers'
 * `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup`).
 *
 * @throws RangeError when `warmUp` is negative, or `total` is not larger
 */
export function warmUp({ peak, warmUp: rising, total, decay = "linear" }: WarmUpOptions): Schedule {
  if (!(rising >= 0)) throw new RangeError(`warmUp must be 0 or more steps, got ${rising}`);
  if (total !== undefined && total <= rising) {
    throw new RangeError(`total must be more than the ${rising} steps of the warm-up, got ${total}`);
  }
  return (step) => {
    if (step < rising) return (peak * (step + 1)) / rising;
    if (total === undefined) return peak;
    const passed = Math.min(1, (step - rising) / (total - rising));
    return decay === "linear" ? peak * (1 - passed) : (peak * (1 + Math.cos(Math.PI * passed))) / 2;
  };
}

/** A constant rate. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/**
 * A rate multiplied by `factor`, 0.1 by default, after every `every` steps (PyTorch's StepLR).
 *
 * @throws RangeError when `every` is not a positive integer
 */
export function stepRate(rate: number, every: number, factor = 0.1): Schedule {
  checkPositiveInteger("every", every);
  return (step) => rate * factor ** Math.floor(step / every);
}

/**
 * Half a cosine from `rate` to `least` (0 by default) over `total` steps, then `least` (Loshchilov & Hutter 2017; PyTorch's
 * CosineAnnealingLR).
 *
 * @throws RangeError when `total` is not positive
 */
export function cosineRate(rate: number, total: number, least = 0): Schedule {
  if (!(total > 0)) throw new RangeError(`total must be more than 0, got ${total}`);
  return (step) => least + ((rate - least) * (1 + Math.cos(Math.PI * Math.min(1, step / total)))) / 2;
}

/**
 * A rate that rises linearly to `peak` over `warmUpSteps` steps, then falls with the inverse square root of the step (Vaswani et
 * al. 2017, section 5.3, scaled).
 *
 * @throws RangeError when `warmUpSteps` is below 1
 */
export function inverseSqrtRate(peak: number, warmUpSteps: number): Schedule {
  if (!(warmUpSteps >= 1)) throw new RangeError(`warmUpSteps must be 1 or more, got ${warmUpSteps}`);
  return (step) => peak * Math.min((step + 1) / warmUpSteps, Math.sqrt(warmUpSteps / (step + 1)));
}

/**
 * A rate that changes linearly from `from` to `to` over `steps` steps, then stays (PyTorch's LinearLR, whose factors are these
 * rates over the optimizer's).
 *
 * @throws RangeError when `steps` is not a positive integer
 */
export function linearRate(from: number, to: number, steps: number): Schedule {
  checkPositiveInteger("steps", steps);
  return (step) => from + ((to - from) * Math.min(step, steps)) / steps;
}

/** Options of `oneCycleRate`, with the defaults of PyTorch's OneCycleLR. */
export interface OneCycleOptions {
  /** The highest rate. */
  peak: number;
  /** Steps in all. */
  total: number;
  /** The share of the steps over which the rate rises; 0.3 by default. */
  rise?: number;
  /** The shape of rise and decay; `"cosine"` by default. */
  decay?: "linear" | "cosine";
  /** The first rate is `peak` over this; 25 by default. */
  startDivisor?: number;
  /** The last rate is the first over this; 10,000 by default. */
  endDivisor?: number;
  /** Falls to the first rate over as many steps as it rose, then to the last; false by default. */
  threePhase?: boolean;
}

/**
 * A rate that rises to `peak`, then falls far below its first value (PyTorch's OneCycleLR; Smith & Topin 2018, arXiv
 * 1708.07120). It does not change momentum.
 *
 * @throws RangeError when `total` is not a positive integer, or `rise` lies outside [0, 1]
 */
export function oneCycleRate(options: OneCycleOptions): Schedule {
  const { peak, total, rise = 0.3, decay = "cosine", startDivisor = 25, endDivisor = 1e4 } = options;
  checkPositiveInteger("total", total);
  if (!(rise >= 0 && rise <= 1)) throw new RangeError(`rise must lie between 0 and 1, got ${rise}`);
  const first = peak / startDivisor;
  const last = first / endDivisor;
  const phases = options.threePhase
    ? [
        { end: rise * total - 1, rate: peak },
        { end: 2 * rise * total - 2, rate: first },
        { end: total - 1, rate: last },
      ]
    : [
        { end: rise * total - 1, rate: peak },
        { end: total - 1, rate: last },
      ];
  return (step) => {
    const at = phases.findIndex(({ end }, i) => step <= end || i === phases.length - 1);
    const { end, rate } = phases[at]!;
    const before = phases[at - 1] ?? { end: 0, rate: first };
    const passed = end > before.end ? Math.min(1, (step - before.end) / (end - before.end)) : 1;
    return decay === "linear"
      ? before.rate + (rate - before.rate) * passed
      : rate + ((before.rate - rate) * (1 + Math.cos(Math.PI * passed))) / 2;
  };
}

/**
 * One schedule after another: the next one begins, with its step 0, at each milestone (PyTorch's SequentialLR).
 *
 *     sequenceRate([linearRate(0, 1e-3, 100), cosineRate(1e-3, 900)], [100])
 *
 * A number in place of a schedule is a constant rate.
 *
 * @throws RangeError when there is not one milestone between any two schedules, or they do not increase; TypeError for a schedule
 *   that observes evaluations, which `reduceOnPlateau(sequenceRate(...))` does for the whole sequence
 */
export function sequenceRate(rates: readonly (number | Schedule)[], milestones: readonly number[]): Schedule {
  const schedules = rates.map((rate, i) => scheduleOf(`sequenceRate: schedule ${i}`, rate));
  if (schedules.length === 0 || milestones.length !== schedules.length - 1)
    throw new RangeError(
      `sequenceRate: ${schedules.length} schedules need ${Math.max(0, schedules.length - 1)} milestones, got ${milestones.length}`,
    );
  const falling = milestones.findIndex((milestone, i) => !(milestone > (milestones[i - 1] ?? 0)));
  if (falling >= 0)
    throw new RangeError(`sequenceRate: the milestones must increase from above 0, got ${milestones.join(", ")}`);
  const observing = schedules.findIndex((schedule) => "observe" in schedule);
  if (observing >= 0)
    throw new TypeError(
      `sequenceRate: schedule ${observing} observes evaluations; put it around the sequence: reduceOnPlateau(sequenceRate(...))`,
    );
  return (step) => {
    const at = milestones.filter((milestone) => step >= milestone).length;
    return schedules[at]!(step - (milestones[at - 1] ?? 0));
  };
}
