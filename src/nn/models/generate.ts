import { setImmediate } from "node:timers/promises";
import { checkPositiveInteger } from "../../base/checks.ts";
import { random } from "../../data/random.ts";
import { deriveSeed } from "../../random/index.ts";
import { stopIfInterrupted } from "../../runtime/index.ts";
import type { Decoding } from "./decoding.ts";
import { checkSampling, likeliest, type SamplingOptions, sampled } from "./sampling.ts";

/** The options of `generate`. */
export interface GenerateOptions extends SamplingOptions {
  /** The largest number of tokens to generate for each prompt. */
  maxNewTokens: number;
  /** The seed of sampling; 0 by default. Each prompt has a generator of its own. */
  seed?: number;
  /** Tokens that end a sequence; they are not part of the result. */
  stopTokens?: Iterable<number>;
  /** Whether keys and values are kept from step to step, which changes the time and not the tokens; true by default. */
  cache?: boolean;
  /** Called with each new token and the index of its prompt. */
  onToken?: (token: number, prompt: number) => void;
  /** Ends the generation when it is aborted; the tokens so far are the result. */
  signal?: AbortSignal;
}

/** A model that generates tokens, such as `transformerLanguageModel` and `transformerSeq2Seq`. */
export interface GenerativeModel<P extends object = object> {
  readonly parameters: P;
  /** Starts after the prompts; `maxNewTokens` is checked against the longest sequence of the model. */
  startDecoding(
    parameters: P,
    prompts: readonly ArrayLike<number>[],
    options?: { cache?: boolean; maxNewTokens?: number },
  ): Decoding;
}

/** Milliseconds after which the loop yields to the event loop, for displays, timers and interrupts. */
const YIELD_EVERY = 50;

/**
 * New tokens after each prompt, without the prompt: the likeliest ones, or sampled ones with `temperature`, `topK`, `topP` or
 * `seed`. For `transformerSeq2Seq` the prompts are sources and the result are targets without the start token. Prompts may differ
 * in length; a prompt's tokens depend on its index and not on the other prompts.
 *
 * @throws RangeError for an option out of range, an empty prompt, a token outside the vocabulary, or a prompt whose new tokens
 *   exceed the model's `maxLength`; Error when the logits are NaN
 */
export async function generate<P extends object>(
  model: GenerativeModel<P>,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { maxNewTokens, seed, stopTokens = [], cache = true, onToken, signal, ...sampling } = options;
  checkPositiveInteger("generate: maxNewTokens", maxNewTokens);
  checkSampling(sampling);
  const isGreedy = seed === undefined && Object.values(sampling).every((value) => value === undefined);
  const generators = prompts.map((_, i) => random(deriveSeed(seed ?? 0, i)));
  const results = prompts.map((): number[] => []);
  const running = new Set(prompts.keys());
  const stops = new Set(stopTokens);
  const decoding = model.startDecoding(model.parameters, prompts, { cache, maxNewTokens });
  try {
    let chosen: Int32Array | undefined;
    let yielded = performance.now();
    for (let step = 0; step < maxNewTokens && running.size > 0 && !signal?.aborted; step++) {
      const logits = decoding.next(chosen);
      const values = logits.dataSync() as Float32Array;
      logits.dispose();
      if (values.some(Number.isNaN))
        throw new Error("generate: the model's logits are NaN: are its parameters finite?");
      const width = values.length / prompts.length;
      chosen = Int32Array.from(prompts, (_, i) => {
        const own = values.subarray(i * width, (i + 1) * width);
        // A sequence that has ended goes through the model with the others; what comes of it is not used.
        if (!running.has(i) || isGreedy) return likeliest(own);
        return sampled(own, generators[i]!, sampling);
      });
      for (const i of [...running]) {
        const token = chosen[i]!;
        if (stops.has(token)) {
          running.delete(i);
          continue;
        }
        results[i]!.push(token);
        onToken?.(token, i);
      }
      if (performance.now() - yielded > YIELD_EVERY) {
        await setImmediate();
        stopIfInterrupted();
        yielded = performance.now();
      }
    }
  } finally {
    decoding.dispose();
  }
  return results;
}
