import type { Generator } from "../random/index.ts";
import { deriveSeed, deriveWords, noteState } from "../random/index.ts";
import { stepNumbers } from "../runtime/native/capture/step-inputs.ts";

/** Options of the `apply` of a layer or model. A model passes the same object on to each of its layers. */
export interface ApplyOptions {
  /** Applies dropout, and normalises by the batch's own statistics; false by default. */
  training?: boolean;
  /** Seed of dropout, another one for each training step; 0 by default. */
  seed?: number;
  /**
   * Keeps of each layer of a Transformer only its input for the backward pass, which computes the layer again; a number keeps the
   * input of every so many layers (Chen et al. 2016). False by default.
   */
  gradientCheckpointing?: boolean | number;
}

/**
 * Parameters and a function of them: a tree of variables, and `apply(parameters, input, options)`. A model is a layer whose
 * input is a batch, so any layer can be trained, and a layer of layers is a plain object of their parameters and a function.
 *
 * Variables that are not trainable (`trainable: false`, for instance the running statistics of `batchNorm`) are saved with the
 * others, and optimizers leave them alone.
 */
export interface Layer<P extends object = object, In = never, Out = unknown> {
  readonly parameters: P;
  apply(parameters: P, input: In, options?: ApplyOptions): Out;
}

/** A layer whose input is a batch: what `train` trains. */
export type Model<P extends object = object, B = never, Out = unknown> = Layer<P, B, Out>;

/** The draws of each options object so far. */
const draws = new WeakMap<ApplyOptions, Generator>();

/** What options are a copy of. */
const originals = new WeakMap<ApplyOptions, ApplyOptions>();

/** A copy of options, so that the same options give the same masks in every call of a model. */
export function copiedOptions(options: ApplyOptions): ApplyOptions {
  const copy = { ...options };
  originals.set(copy, originals.get(options) ?? options);
  return copy;
}

/** What the seed of options was derived by. */
const salts = new WeakMap<ApplyOptions, readonly number[]>();

/** A copy of options under which dropout has other masks: its seed is derived by `salt`. */
export function derivedOptions(options: ApplyOptions, salt: number): ApplyOptions {
  const copy = copiedOptions(options);
  copy.seed = deriveSeed(options.seed ?? 0, salt);
  salts.set(copy, [...(salts.get(options) ?? []), salt]);
  return copy;
}

/**
 * The seed pair of the next dropout under these options: each dropout of a model that passes its options on has a mask of its own,
 * and the same seed gives the same masks. A model that copies the options (`{ ...options }`) starts again.
 */
export function dropoutSeed(options: ApplyOptions): [number, number] {
  let sites = draws.get(options);
  if (!sites) {
    let site = 0;
    const setState = ([state]: readonly number[]) => {
      site = state!;
    };
    sites = { next: () => site++, getState: () => [site], setState };
    draws.set(options, sites);
  }
  // So that a checkpointed function which runs again draws the same masks.
  noteState(sites);
  const site = sites.next();
  const salt = salts.get(options) ?? [];
  const words = ({ seed = 0 }: ApplyOptions) =>
    deriveWords(
      salt.reduce((own, each) => deriveSeed(own, each), seed),
      site,
    );
  return stepNumbers(words, originals.get(options) ?? options);
}
