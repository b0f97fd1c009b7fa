import { checkPositiveInteger } from "../../base/checks.ts";
import { random } from "../../data/random.ts";
import { deriveSeed } from "../../random/index.ts";
import { beamSearch } from "./beam-search.ts";
import type { GenerativeModel } from "./decoding.ts";
import { DecodingRun, type StopTokens, stopSet } from "./decoding-run.ts";
import { checkSampling, likeliest, type SamplingOptions, sampled } from "./sampling.ts";

/** The options of `generateStream`. */
export interface GenerateStreamOptions extends SamplingOptions {
  /** The largest number of tokens to generate for each prompt. */
  maxNewTokens: number;
  /** The seed of sampling; 0 by default. Each prompt has a generator of its own. */
  seed?: number;
  /** A token or tokens that end a sequence; they are not part of the result. The model's own by default; `[]` for none. */
  stopTokens?: StopTokens;
  /** Whether keys and values are kept from step to step, which changes the time and not the tokens; true by default. */
  cache?: boolean;
  /** Ends the generation when it is aborted; the tokens so far are the result. */
  signal?: AbortSignal;
}

/** The options of `generate`. */
export interface GenerateOptions extends GenerateStreamOptions {
  /** Called with each new token and the index of its prompt. */
  onToken?: (token: number, prompt: number) => void;
  /**
   * The number of sequences of each prompt that a beam search keeps; 1 by default, which is no search. The result is the sequence with
   * the largest sum of log probabilities divided by `length ** lengthPenalty`.
   */
  beams?: number;
  /** Above 0 prefers long sequences of a beam search, below 0 short ones; 1 by default. A stop token counts. */
  lengthPenalty?: number;
}

/** A new token of `generateStream`. */
export interface GeneratedToken {
  token: number;
  /** The index of its prompt. */
  prompt: number;
  /** The new tokens of this prompt so far, this one included. */
  tokens: readonly number[];
}

/**
 * New tokens after each prompt, without the prompt: the likeliest ones, or sampled ones with `temperature`, `topK`, `topP` or
 * `seed`, or the best ones of a beam search with `beams`. For `transformerSeq2Seq` the prompts are sources and the result are targets
 * without the start token. Prompts may differ in length; a prompt's tokens depend on its index and not on the other prompts. A sequence
 * that has ended is no longer computed.
 *
 * The beam search is that of HuggingFace's transformers with `early_stopping=False`.
 *
 * @throws RangeError for an option out of range, an empty prompt, a token outside the vocabulary, or a prompt whose new tokens
 *   exceed the model's `maxLength`; TypeError for options that exclude each other, and a model without `startDecoding`; Error when
 *   the logits are NaN
 */
export async function generate<P extends object>(
  model: GenerativeModel<P>,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<number[][]> {
  checkBeams(options);
  const { beams = 1, lengthPenalty, onToken, ...others } = options;
  if (beams > 1) return beamSearch(model, prompts, { beams, lengthPenalty, ...others });
  const results = prompts.map((): number[] => []);
  for await (const { token, prompt } of generateStream(model, prompts, others)) {
    results[prompt]!.push(token);
    onToken?.(token, prompt);
  }
  return results;
}

/**
 * The tokens of `generate` one by one as they are chosen, for `for await`: of each prompt in turn, at every step. `break` ends the
 * generation. There is no beam search, whose tokens are known at the end only.
 *
 * @throws RangeError for an option out of range, an empty prompt, a token outside the vocabulary, or a prompt whose new tokens
 *   exceed the model's `maxLength`; TypeError for a model without `startDecoding`; Error when the logits are NaN
 */
export async function* generateStream<P extends object>(
  model: GenerativeModel<P>,
  prompts: readonly ArrayLike<number>[],
  options: GenerateStreamOptions,
): AsyncGenerator<GeneratedToken, void, undefined> {
  const { maxNewTokens, seed, stopTokens = model?.stopTokens, cache = true, signal, ...sampling } = options;
  checkPositiveInteger("generate: maxNewTokens", maxNewTokens);
  checkSampling(sampling);
  const isGreedy = seed === undefined && Object.values(sampling).every((value) => value === undefined);
  const generators = prompts.map((_, i) => random(deriveSeed(seed ?? 0, i)));
  const stops = stopSet(stopTokens);
  let running = prompts.map((_, prompt) => ({ prompt, tokens: [] as number[] }));
  let chosen: number[] | undefined;
  using run = new DecodingRun(model, prompts, { cache, maxNewTokens });
  for (let step = 0; step < maxNewTokens && running.length > 0 && !signal?.aborted; step++) {
    const logits = run.next(chosen);
    const width = logits.length / running.length;
    const tokens = running.map(({ prompt }, row) => {
      const own = logits.subarray(row * width, (row + 1) * width);
      return isGreedy ? likeliest(own) : sampled(own, generators[prompt]!, sampling);
    });
    const rows = [...tokens.keys()].filter((row) => !stops.has(tokens[row]!));
    chosen = rows.map((row) => tokens[row]!);
    if (rows.length < running.length && rows.length > 0) run.select(rows);
    running = rows.map((row) => running[row]!);
    for (const [row, token] of chosen.entries()) {
      const { prompt, tokens } = running[row]!;
      tokens.push(token);
      yield { token, prompt, tokens };
    }
    await run.takeTurns();
  }
}

function checkBeams({ beams = 1, lengthPenalty, onToken, ...options }: GenerateOptions): void {
  checkPositiveInteger("generate: beams", beams);
  if (lengthPenalty !== undefined && !Number.isFinite(lengthPenalty))
    throw new RangeError(`generate: lengthPenalty must be a finite number, got ${lengthPenalty}`);
  checkPositiveInteger("generate: maxNewTokens", options.maxNewTokens);
  if (beams === 1) {
    if (lengthPenalty !== undefined) throw new TypeError("generate: lengthPenalty needs beams of at least 2");
    return;
  }
  for (const name of ["temperature", "topK", "topP", "seed"] as const)
    if (options[name] !== undefined)
      throw new TypeError(`generate: a search with ${beams} beams does not sample: leave out beams or ${name}`);
  if (onToken)
    throw new TypeError(`generate: a search with ${beams} beams knows its tokens at the end only: leave out onToken`);
}
