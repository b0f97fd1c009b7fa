// Connectionist temporal classification on arrays (Graves et al. 2006, sections 4.1 and 4.2).

/** The log-probabilities `[time, classes]` of one sequence, row after row, and its labels. */
export interface CtcSequence {
  logs: ArrayLike<number>;
  /** Steps of the sequence. */
  time: number;
  classes: number;
  labels: ArrayLike<number>;
  blank: number;
}

/**
 * The negative log-likelihood of the labels, and its gradient `[time, classes]` with respect to log-probabilities that are
 * normalised, as PyTorch's. An infinite loss has a gradient of NaN.
 */
export function ctc(sequence: CtcSequence): { loss: number; gradient: Float64Array } {
  const { logs, time, classes, labels, blank } = sequence;
  const states = withBlanks(labels, blank);
  const at = (t: number, state: number) => logs[t * classes + states[state]!]!;
  const forward = alphas(time, states, blank, at);
  // The backward pass is the forward pass over the reversed sequence.
  const reversed = states.slice().reverse();
  const last = time - 1;
  const backward = alphas(time, reversed, blank, (t, state) => logs[(last - t) * classes + reversed[state]!]!);

  const width = states.length;
  const logLikelihood =
    time === 0
      ? width === 1
        ? 0
        : Number.NEGATIVE_INFINITY
      : logSum(
          forward[last * width + width - 1]!,
          width > 1 ? forward[last * width + width - 2]! : Number.NEGATIVE_INFINITY,
        );
  const gradient = new Float64Array(time * classes);
  const occupied = new Float64Array(classes);
  for (let t = 0; t < time; t++) {
    occupied.fill(Number.NEGATIVE_INFINITY);
    for (let state = 0; state < width; state++) {
      // Both passes count the probability of step t.
      const through = forward[t * width + state]! + backward[(last - t) * width + width - 1 - state]! - at(t, state);
      const label = states[state]!;
      if (!Number.isNaN(through)) occupied[label] = logSum(occupied[label]!, through);
    }
    for (let label = 0; label < classes; label++)
      gradient[t * classes + label] = Math.exp(logs[t * classes + label]!) - Math.exp(occupied[label]! - logLikelihood);
  }
  return { loss: 0 - logLikelihood, gradient };
}

/** The labels with a blank before, between and after them. */
function withBlanks(labels: ArrayLike<number>, blank: number): Int32Array {
  const states = new Int32Array(2 * labels.length + 1).fill(blank);
  for (let i = 0; i < labels.length; i++) states[2 * i + 1] = labels[i]!;
  return states;
}

/** The log-probability of being in each state after each step, `[time, states]`. */
function alphas(
  time: number,
  states: Int32Array,
  blank: number,
  at: (t: number, state: number) => number,
): Float64Array {
  const width = states.length;
  const found = new Float64Array(time * width).fill(Number.NEGATIVE_INFINITY);
  if (time === 0) return found;
  found[0] = at(0, 0);
  if (width > 1) found[1] = at(0, 1);
  for (let t = 1; t < time; t++)
    for (let state = 0; state < width; state++) {
      const before = (t - 1) * width + state;
      let sum = found[before]!;
      if (state > 0) sum = logSum(sum, found[before - 1]!);
      // A blank may be skipped between different labels.
      const skips = state > 1 && states[state] !== blank && states[state] !== states[state - 2];
      if (skips) sum = logSum(sum, found[before - 2]!);
      found[t * width + state] = sum + at(t, state);
    }
  return found;
}

function logSum(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  const larger = Math.max(a, b);
  return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}
