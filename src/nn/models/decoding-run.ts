import { setImmediate } from "node:timers/promises";
import { begin, type Lasting, stopIfInterrupted } from "../../runtime/index.ts";
import type { Decoding, GenerativeModel } from "./decoding.ts";

/** Milliseconds after which a run yields to the event loop. */
const YIELD_EVERY = 50;

/** Tokens that end a sequence: one, or several. */
export type StopTokens = number | Iterable<number>;

/** @throws TypeError unless the tokens are an integer or a collection of integers */
export function stopSet(tokens: StopTokens = []): ReadonlySet<number> {
  const isMany = typeof tokens === "object" && tokens !== null && Symbol.iterator in tokens;
  const stops = isMany ? [...tokens] : [tokens as number];
  const other = stops.find((token) => !Number.isInteger(token));
  if (stops.every(Number.isInteger)) return new Set(stops);
  throw new TypeError(
    `generate: stopTokens must be a token or tokens, which are integers, got ${JSON.stringify(other)}`,
  );
}

/** A generation from its start until it is disposed, or until the cell that runs it is stopped. */
export class DecodingRun {
  readonly #decoding: Decoding;
  readonly #open: Lasting;
  #yielded = performance.now();

  constructor(
    model: GenerativeModel,
    prompts: readonly ArrayLike<number>[],
    options: { cache?: boolean; maxNewTokens?: number },
  ) {
    if (typeof model?.startDecoding !== "function")
      throw new TypeError(
        "generate: expected a model with startDecoding, such as transformerLanguageModel, got one without: a plain layer cannot continue a sequence",
      );
    const decoding = model.startDecoding(model.parameters, prompts, options);
    this.#decoding = decoding;
    this.#open = begin(
      () => {},
      () => decoding.dispose(),
    );
    this.#open.awaits();
  }

  /** The logits of each sequence's next token, one row of the vocabulary after the other. */
  next(tokens: ArrayLike<number> | undefined): Float32Array {
    const logits = this.#decoding.next(tokens);
    const values = logits.dataSync() as Float32Array;
    logits.dispose();
    if (values.some(Number.isNaN)) throw new Error("generate: the model's logits are NaN: are its parameters finite?");
    return values;
  }

  select(sequences: readonly number[]): void {
    this.#decoding.select(sequences);
  }

  /** Lets displays, timers and interrupts have their turn from time to time. */
  async takeTurns(): Promise<void> {
    if (performance.now() - this.#yielded <= YIELD_EVERY) return;
    await setImmediate();
    stopIfInterrupted();
    this.#yielded = performance.now();
  }

  [Symbol.dispose](): void {
    this.#open.end();
  }
}
