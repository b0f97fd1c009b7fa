import { checkPositiveInteger } from "../base/checks.ts";

/** The learning rate by step, counted from 0. */
export type Schedule = (step: number) => number;

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
