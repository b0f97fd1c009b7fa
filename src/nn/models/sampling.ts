// The choice of the next token from its logits.
import type { Random } from "../../data/random.ts";
import { draw } from "../../tensor/sampling.ts";

/** How a token is chosen. */
export interface SamplingOptions {
  /** Divides the logits: below 1 prefers likely tokens, 0 takes the likeliest; 0 by default, 1 with another option of sampling. */
  temperature?: number;
  /** Chooses among so many of the likeliest tokens. */
  topK?: number;
  /** Chooses among the fewest likeliest tokens whose probabilities sum to this (Holtzman et al. 2019, nucleus sampling). */
  topP?: number;
}

/** Throws RangeError for an option out of range. */
export function checkSampling({ temperature, topK, topP }: SamplingOptions): void {
  if (temperature !== undefined && !(temperature >= 0 && temperature < Number.POSITIVE_INFINITY))
    throw new RangeError(`generate: temperature must be a number of at least 0, got ${temperature}`);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw new RangeError(`generate: topK must be a positive integer, got ${topK}`);
  if (topP !== undefined && !(topP > 0 && topP <= 1))
    throw new RangeError(`generate: topP must be above 0 and at most 1, got ${topP}`);
}

/** The token with the largest logit; of equal ones the first. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** A token drawn with the probabilities that temperature, topK and topP, in this order, leave. */
export function sampled(logits: Float32Array, rng: Random, { temperature = 1, topK, topP }: SamplingOptions): number {
  if (temperature === 0) return likeliest(logits);
  const isWhole = topK === undefined && topP === undefined;
  const tokens = isWhole ? [...logits.keys()] : likeliestFirst(logits, topK);
  const largest = logits[likeliest(logits)]!;
  const weights = Float64Array.from(tokens, (token) => Math.exp((logits[token]! - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [count, mass] = [0, 0];
  while (count < tokens.length && (count === 0 || mass < (topP ?? 1) * total)) mass += weights[count++]!;
  return tokens[draw(weights.subarray(0, count), rng.uniform())]!;
}

/** The `count` tokens with the largest logits, or all, the largest first; of equal ones the lower token first. */
export function likeliestFirst(logits: Float32Array, count = logits.length): number[] {
  const least = count < logits.length ? largest(logits, count)[0]! : Number.NEGATIVE_INFINITY;
  const candidates: number[] = [];
  for (let token = 0; token < logits.length; token++) if (logits[token]! >= least) candidates.push(token);
  return candidates.sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
}

/** The `count` largest values as a heap, the least of them first. */
function largest(values: Float32Array, count: number): Float32Array {
  const heap = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  for (const value of values) {
    if (!(value > heap[0]!)) continue;
    let at = 0;
    for (let child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= value) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = value;
  }
  return heap;
}
