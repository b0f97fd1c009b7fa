import type { GenerativeModel } from "./decoding.ts";
import { DecodingRun, type StopTokens, stopSet } from "./decoding-run.ts";
import { likeliest, likeliestFirst } from "./sampling.ts";

interface BeamSearchOptions {
  beams: number;
  lengthPenalty?: number | undefined;
  maxNewTokens: number;
  stopTokens?: StopTokens;
  cache?: boolean;
  signal?: AbortSignal;
}

interface Sequence {
  /** The new tokens, without a stop token. */
  tokens: readonly number[];
  /** The sum of the log probabilities; of a finished sequence, divided by its length to the power of the penalty. */
  score: number;
}

/** The search after one prompt. Its sequences are in descending order of scores. */
interface Search {
  prompt: number;
  running: readonly Continuation[];
  finished: readonly Sequence[];
}

/** A running sequence with one token more. */
interface Continuation extends Sequence {
  token: number;
  /** The index of the running sequence. */
  parent: number;
}

/**
 * The best sequence after each prompt. Which sequences are kept, how finished ones are scored, and when a search ends, is as in
 * HuggingFace's transformers, `GenerationMixin._beam_search`, with `early_stopping=False`.
 */
export async function beamSearch(
  model: GenerativeModel,
  prompts: readonly ArrayLike<number>[],
  { beams, lengthPenalty = 1, maxNewTokens, stopTokens = model?.stopTokens, cache = true, signal }: BeamSearchOptions,
): Promise<number[][]> {
  const stops = stopSet(stopTokens);
  const searches = prompts.map((_, prompt) => started(prompt));
  let open: Search[] = searches;
  let chosen: number[] | undefined;
  using run = new DecodingRun(model, prompts, { cache, maxNewTokens });
  for (let length = 1; length <= maxNewTokens && open.length > 0 && !signal?.aborted; length++) {
    const logits = run.next(chosen);
    const width = logits.length / open.reduce((rows, { running }) => rows + running.length, 0);
    const limits = { beams, stops, scale: length ** lengthPenalty, isLast: length === maxNewTokens };
    const [rows, unfinished]: [number[], Search[]] = [[], []];
    let first = 0;
    for (const search of open) {
      const { prompt, running } = search;
      const next = advanced(search, logits.subarray(first * width, (first + running.length) * width), limits);
      searches[prompt] = next;
      if (canImprove(next, limits)) {
        unfinished.push(next);
        rows.push(...next.running.map(({ parent }) => first + parent));
      }
      first += running.length;
    }
    open = unfinished;
    if (open.length > 0) run.select(rows);
    chosen = open.flatMap(({ running }) => running.map(({ token }) => token));
    await run.takeTurns();
  }
  return searches.map(({ running, finished }) => [...(finished[0] ?? running[0]!).tokens]);
}

interface Limits {
  beams: number;
  stops: ReadonlySet<number>;
  /** What divides the score of a sequence that ends now. */
  scale: number;
  isLast: boolean;
}

const started = (prompt: number): Search => ({
  ...{ prompt, finished: [] },
  running: [{ tokens: [], score: 0, token: -1, parent: 0 }],
});

/** A search after the next token, given the logits of its running sequences, one row after the other. */
function advanced({ prompt, running, finished }: Search, logits: Float32Array, limits: Limits): Search {
  const { beams, stops, scale, isLast } = limits;
  // As many as leave `beams` to go on with, whichever of them stop.
  const likely = continuations(running, logits, Math.max(2, 1 + stops.size) * beams);
  const ended = likely
    .slice(0, beams)
    .filter(({ token }) => isLast || stops.has(token))
    .map(({ tokens, token, score }) => ({
      tokens: stops.has(token) ? tokens.slice(0, -1) : tokens,
      score: score / scale,
    }));
  return {
    prompt,
    running: isLast ? [] : likely.filter(({ token }) => !stops.has(token)).slice(0, beams),
    finished: [...finished, ...ended].sort(byScore).slice(0, beams),
  };
}

/** The `count` likeliest continuations of all sequences together. */
function continuations(sequences: readonly Sequence[], logits: Float32Array, count: number): Continuation[] {
  const width = logits.length / sequences.length;
  const all = sequences.flatMap(({ tokens, score }, parent) => {
    const own = logits.subarray(parent * width, (parent + 1) * width);
    const total = logSumExp(own);
    return likeliestFirst(own, Math.min(count, width)).map((token) => ({
      ...{ parent, token, tokens: [...tokens, token] },
      score: score + own[token]! - total,
    }));
  });
  return all.sort(byScore).slice(0, count);
}

function logSumExp(logits: Float32Array): number {
  const largest = logits[likeliest(logits)]!;
  return largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

const byScore = (a: Sequence, b: Sequence): number => b.score - a.score;

/** Whether a running sequence, divided by its length of now, is better than the worst finished one. */
function canImprove({ running, finished }: Search, { beams, scale }: Limits): boolean {
  if (running.length === 0) return false;
  return finished.length < beams || running[0]!.score / scale > finished.at(-1)!.score;
}
