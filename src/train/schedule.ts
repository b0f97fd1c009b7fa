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
