import { checkPositiveInteger } from "../../base/checks.ts";
import type { Random } from "../../data/random.ts";
import { defineSummary } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { checkRate } from "../../tensor/dropout-mask.ts";
import { label, namesOf } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { Quotient } from "../../tensor/types/number.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { parameter, randomFor, uniformWithin, xavierUniform } from "../initialisers.ts";
import type { ApplyOptions, Layer } from "../layer.ts";
import type { KeyValueCache } from "../ops/key-value-cache.ts";
import { rotaryRates } from "../ops/rotary.ts";
import { markPure } from "../pure.ts";
import { attentionCondition, checkPositions } from "./attention-condition.ts";
import { affine, crossAttention, type HeadSettings, selfAttention } from "./heads.ts";
import type { LinearParameters } from "./linear.ts";
import type { Features } from "./shape-rule.ts";
import { checkSequences, requireOptions, summaryOf, type TensorLayer } from "./tensor-layer.ts";

/** The head count, or a message where it does not divide the number of features. */
export type DividingHeads<Name extends string, F, H> =
  Quotient<F, H> extends false
    ? `${Name}: features must be a multiple of heads, got ${F & number} features and ${H & number} heads`
    : H;

/** The options of attention in several heads. */
export interface HeadOptions<F extends number = number> extends RandomOptions {
  /** The width of queries and results. */
  features: F;
  /** Heads of keys and values, which divide `heads`: grouped-query attention (Ainslie et al. 2023); `heads` by default. */
  keyValueHeads?: number;
  /** The dropout rate of the attention weights; 0 by default. */
  dropout?: number;
  /** Whether a position sees no later ones; false by default. */
  causal?: boolean;
  /** `"rotary"` turns queries and keys by their positions (Su et al. 2021); nothing by default. */
  positions?: "rotary";
  /** The base of rotary positions; 10,000 by default. */
  rotaryBase?: number;
  /** Whether the linear maps have biases; true by default. */
  bias?: boolean;
}

/** The options of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions<F extends number = number> extends HeadOptions<F> {
  /** The width of the sequence attended to, for cross-attention; without it the layer is self-attention. */
  crossFeatures?: number;
}

/** The parameters of self-attention. */
export interface SelfAttentionParameters {
  /** Queries, keys and values side by side: `[features, (heads + 2 * keyValueHeads) * features / heads]`. */
  projection: AttentionLinear;
  /** `[features, features]` */
  output: AttentionLinear;
}

/** The parameters of cross-attention. */
export interface CrossAttentionParameters {
  /** `[features, features]` */
  query: AttentionLinear;
  /** Keys and values side by side: `[crossFeatures, 2 * keyValueHeads * features / heads]`. */
  keyValue: AttentionLinear;
  /** `[features, features]` */
  output: AttentionLinear;
}

/** A weight and, unless `bias` is false, a bias. */
export type AttentionLinear = Pick<LinearParameters, "weight"> & Partial<Pick<LinearParameters, "bias">>;

/** What an attention layer takes besides a plain tensor. */
export interface AttentionInput<T = TensorOperand> {
  /** The sequences, `[batch, time, features]`. */
  x: T;
  /** In cross-attention the sequences attended to, `[batch, keys, crossFeatures]`. */
  context?: TensorOperand;
  /** As in `scaledDotProductAttention`: a condition or a bias that broadcasts to `[batch, heads, time, keys]`. */
  mask?: TensorOperand | undefined;
  /** Which keys are tokens, `[batch, keys]`, bool or int32: true or 1 for a token, as in the mask of a batch. */
  keyPadding?: TensorOperand | undefined;
  /** For rotary positions: int32 `[time]` or `[batch, time]`, such as a batch's; 0 to `time - 1` by default. */
  positions?: TensorOperand | undefined;
  /** Keeps the keys and values for generation, so that `x` has the new positions only; `keyPadding` covers all. */
  cache?: KeyValueCache | undefined;
}

/** A cross-attention layer, from `{ x, context }` to the shape of `x`, `[batch, time, features]`. */
export interface CrossAttention extends Layer<CrossAttentionParameters> {
  /**
   * The attention's result, in the shape of `x`, `[batch, time, features]`.
   *
   * @throws ShapeError when a shape does not fit
   */
  apply<T extends TensorOperand>(
    parameters: CrossAttentionParameters,
    input: AttentionInput<T> & { context: TensorOperand },
    options?: ApplyOptions,
  ): Tensor<ShapeOf<T>, "float32">;
}

/** An attention layer: `[batch, time, features]`. With a tensor alone it is a layer like any other, for instance of `sequential`. */
export interface MultiHeadAttention<P extends object, F extends number = number>
  extends TensorLayer<P, Features<"multiHeadAttention", F, F>> {
  apply: (<T extends TensorOperand>(
    parameters: P,
    input: Omit<AttentionInput<T>, "context">,
    options?: ApplyOptions,
  ) => Tensor<ShapeOf<T>, "float32">) &
    TensorLayer<P, Features<"multiHeadAttention", F, F>>["apply"];
}

/**
 * Attention from one sequence to another in several heads, `multiHeadAttention({ features: 64, heads: 4, crossFeatures: 32 })`: `{ x,
 * context }` of `[batch, time, features]` and `[batch, keys, crossFeatures]` gives the shape of `x`.
 *
 * @throws RangeError, TypeError and ShapeError as for self-attention; TypeError from `apply` without a context
 */
export function multiHeadAttention<const F extends number, const H extends number>(
  options: MultiHeadAttentionOptions<F> & { crossFeatures: number; heads: DividingHeads<"multiHeadAttention", F, H> },
): CrossAttention;
/**
 * Attention in several heads, `multiHeadAttention({ features: 64, heads: 4 })`: `[batch, time, features]` gives the same shape
 * (Vaswani et al. 2017; `torch.nn.MultiheadAttention` with its initial values). With `crossFeatures` it attends from one sequence
 * to another, `{ x, context }`. A position that sees nothing gives the output layer's bias.
 *
 * @throws RangeError when a size is not a positive integer, the heads do not divide, the size of a rotary head is odd, or the
 *   dropout rate is outside [0, 1); TypeError when `from` is neither a seed nor a generator; ShapeError from `apply`
 */
export function multiHeadAttention<const F extends number, const H extends number>(
  options: MultiHeadAttentionOptions<F> & { heads: DividingHeads<"multiHeadAttention", F, H> },
): MultiHeadAttention<SelfAttentionParameters, F>;
export function multiHeadAttention(
  options: MultiHeadAttentionOptions & { heads: number },
): MultiHeadAttention<SelfAttentionParameters> | CrossAttention {
  const name = "multiHeadAttention";
  requireOptions(name, options);
  const { crossFeatures, causal = false, bias = true, from } = options;
  const settings = headSettings(name, options);
  const { features } = settings;
  const rng = randomFor(from);
  const apply = (
    p: SelfAttentionParameters & CrossAttentionParameters,
    input: AnyTensor | AttentionInput,
    own: ApplyOptions = {},
  ) => {
    const given = (input instanceof tf.Tensor ? { x: input } : input) as AttentionInput<AnyTensor>;
    const x = given.x;
    const context = given.context as AnyTensor | undefined;
    checkSequences(name, x, features);
    if (crossFeatures !== undefined) {
      if (!context) throw new TypeError(`${name}: this layer attends to another sequence: give apply { x, context }`);
      checkSequences(`${name} (context)`, context, crossFeatures, x.shape[0]);
    } else if (context)
      throw new TypeError(`${name}: this layer is self-attention: make it with crossFeatures to give it a context`);
    const [rows, time] = x.shape as [number, number, number];
    const run = () => {
      const flat = tf.reshape(x, [rows * time, features]) as AnyTensor;
      const keys = context ? context.shape[1]! : (given.cache?.length ?? 0) + time;
      const mask = attentionCondition(name, given, {
        rows,
        heads: settings.heads,
        time,
        keys,
        causal: causal && !context,
      });
      const place = {
        rows,
        time,
        mask,
        cache: given.cache,
        positions: checkPositions(name, given.positions, rows, time),
      };
      const mixed = context
        ? crossAttention(
            affine(flat, p.query),
            () => affine(tf.reshape(context, [rows * keys, crossFeatures!]), p.keyValue),
            settings,
            place,
            own,
          )
        : selfAttention(affine(flat, p.projection), settings, place, own);
      return tf.reshape(affine(mixed, p.output), [rows, time, features]) as AnyTensor;
    };
    return label(
      profileScope(name, () => tf.tidy(name, run)),
      namesOf(x),
    );
  };
  const projections =
    crossFeatures === undefined
      ? { projection: selfProjection(settings, bias, rng) }
      : crossProjections(settings, crossFeatures, bias, rng);
  const parameters = { ...projections, output: outputProjection(features, bias, rng) };
  const shown = { features, heads: settings.heads, ...(crossFeatures !== undefined && { crossFeatures }) };
  return defineSummary({ parameters, apply: markPure(apply) }, () => summaryOf(name, shown, parameters)) as never;
}

/** The checked sizes of some options. */
export function headSettings(name: string, options: HeadOptions & { heads: number }): HeadSettings {
  const { features, heads, keyValueHeads = heads, dropout = 0, positions, rotaryBase = 10_000 } = options;
  for (const [key, value] of Object.entries({ features, heads, keyValueHeads }))
    checkPositiveInteger(`${name}: ${key}`, value);
  if (features % heads !== 0)
    throw new RangeError(`${name}: features must be a multiple of heads, got ${features} features and ${heads} heads`);
  if (heads % keyValueHeads !== 0)
    throw new RangeError(
      `${name}: heads must be a multiple of keyValueHeads, got ${heads} heads and ${keyValueHeads} of keys and values`,
    );
  checkRate(name, dropout);
  if (positions === "rotary" && (features / heads) % 2 !== 0)
    throw new RangeError(
      `${name}: rotary positions need an even number of features per head, got ${features} / ${heads} = ${features / heads}`,
    );
  const size = features / heads;
  const rotary = positions === "rotary" ? rotaryRates(size, rotaryBase) : undefined;
  return { features, heads, keyValueHeads, size, dropout, rotary };
}

export function selfProjection(
  { features, heads, keyValueHeads }: HeadSettings,
  bias: boolean,
  rng: Random,
): AttentionLinear {
  return projection([features, ((heads + 2 * keyValueHeads) * features) / heads], bias, rng);
}

export function crossProjections(
  { features, heads, keyValueHeads }: HeadSettings,
  crossFeatures: number,
  bias: boolean,
  rng: Random,
) {
  return {
    query: projection([features, features], bias, rng),
    keyValue: projection([crossFeatures, (2 * keyValueHeads * features) / heads], bias, rng),
  };
}

function projection(shape: [number, number], bias: boolean, rng: Random): AttentionLinear {
  const weight = parameter<[number, number]>("weight", xavierUniform, shape, rng);
  return bias ? { weight, bias: parameter<[number]>("bias", 0, [shape[1]]) } : { weight };
}

/** PyTorch's out_proj: a linear layer whose bias is drawn, and then set to 0. */
export function outputProjection(features: number, bias: boolean, rng: Random): AttentionLinear {
  const init = uniformWithin(1 / Math.sqrt(features));
  const weight = parameter<[number, number]>("weight", init, [features, features], rng);
  if (!bias) return { weight };
  for (let i = 0; i < features; i++) rng.uniform();
  return { weight, bias: parameter<[number]>("bias", 0, [features]) };
}
