import { checkPositiveInteger } from "../base/checks.ts";

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

export interface WarmUpOptions {
  /** The highest rate, reached at the end of the warm-up. */
  peak: number;
  /** Steps over which the rate rises in a straight line. */
  warmUp: number;
  /** Steps in all; with it, the rate falls to 0 after the warm-up. */
  total?: number;
  /** The shape of the fall; `"linear"` by default. */
  decay?: "linear" | "cosine";
}

/** Rises linearly to `peak` over `warmUp` steps, then stays, or falls to 0 at step `total`. */
export function warmUp({ peak, warmUp: rising, total, decay = "linear" }: WarmUpOptions): Schedule {
  if (!(rising >= 0)) throw new RangeError(`warmUp must be 0 steps or more, got ${rising}`);
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

/** Always the same. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/** `rate`, times `factor` after every `every` steps (PyTorch's StepLR). */
export function stepRate(rate: number, every: number, factor = 0.1): Schedule {
  checkPositiveInteger("every", every);
  return (step) => rate * factor ** Math.floor(step / every);
}

/** Half a cosine from `rate` down to `least` over `total` steps, then `least` (Loshchilov & Hutter 2017). */
export function cosineRate(rate: number, total: number, least = 0): Schedule {
  if (!(total > 0)) throw new RangeError(`total must be more than 0, got ${total}`);
  return (step) => least + ((rate - least) * (1 + Math.cos(Math.PI * Math.min(1, step / total)))) / 2;
}

/**
 * Rises linearly over `warmUp` steps and falls with the inverse square root of the step; `peak` at the end of the
 * warm-up (Vaswani et al. 2017, section 5.3, scaled).
 */
export function inverseSqrtRate(peak: number, warmUpSteps: number): Schedule {
  if (!(warmUpSteps >= 1)) throw new RangeError(`warmUpSteps must be 1 or more, got ${warmUpSteps}`);
  return (step) => peak * Math.min((step + 1) / warmUpSteps, Math.sqrt(warmUpSteps / (step + 1)));
}
