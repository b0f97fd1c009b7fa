import type { StepTimes } from "./training-log.ts";

/**
 * "both" is the forward and the backward pass of a batch that a captured step computed, "exchange" what workers exchange, waiting
 * included.
 */
export type Part = "forward" | "backward" | "both" | "exchange" | "update";

export function stepTimes({
  forward,
  backward,
  both,
  exchange,
  update,
}: Record<Part, number>): Omit<StepTimes, "data"> {
  return {
    gradients: forward + backward + both,
    ...(both === 0 && { forward, backward }),
    ...(exchange > 0 && { exchange }),
    update,
  };
}

export function stopwatch() {
  const times: Record<Part, number> = { forward: 0, backward: 0, both: 0, exchange: 0, update: 0 };
  let last = performance.now();
  const lap = (part: Part) => {
    const now = performance.now();
    times[part] += now - last;
    last = now;
  };
  return { times, lap };
}
