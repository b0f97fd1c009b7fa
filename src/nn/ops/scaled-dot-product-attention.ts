import type { Tensor as TfTensor } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../../amp/index.ts";
import { tf } from "../../runtime/index.ts";
import { outside } from "../../runtime/levels.ts";
import { storageOf, to } from "../../storage/index.ts";
import { sumTo } from "../../tensor/broadcast.ts";
import { checkRate, type Dropout } from "../../tensor/dropout-mask.ts";
import { cast, checkTensor, differentiable, scoped } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import { multiply, sumOfRows } from "../../tensor/primitives.ts";
import { drawSeed, type RandomOptions } from "../../tensor/random.ts";
import type { Differ, DimText, IsUnknown, Shape, ShapeText } from "../../tensor/types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { attend, attentionGradients, listed, weightsOf } from "./attention-core.ts";
import { attendByKernel, gradientsByKernel, savedByKernel, scoresGradientByKernel } from "./attention-kernel.ts";
import {
  type AttentionMask,
  causalCondition,
  checkBroadcast,
  conditioned,
  maskOf,
  maskOfVisible,
} from "./attention-mask.ts";

/** Options of `scaledDotProductAttention`. */
export interface ScaledDotProductAttentionOptions extends RandomOptions {
  /**
   * What broadcasts to the scores `[batch, heads, queries, keys]`: a bool or int32 tensor, true where a query may attend to a
   * key, or a float32 bias that is added to the scores, of which -10,000 or below hides a key. A bias has a gradient.
   */
  mask?: TensorOperand | AttentionMask | undefined;
  /** Hides later keys: query i sees the keys 0 to i. Also together with a mask. */
  isCausal?: boolean;
  /** The dropout rate of the weights, 0 by default, with a mask drawn from `from`; or the rate and the seed of the mask. */
  dropout?: number | Dropout | undefined;
  /** The factor of the scores; `1 / sqrt(features)` by default. */
  scale?: number | undefined;
}

type Attended<Q, V> = Q extends [infer B, infer H, infer T, infer _D]
  ? V extends [infer _B, infer _H, infer _T, infer E]
    ? [B, H, T, E] extends infer S extends Shape
      ? S
      : Shape
    : Shape
  : Shape;

type Fault<Q, X, What extends string> =
  IsUnknown<Q> extends true
    ? false
    : IsUnknown<X> extends true
      ? false
      : Q extends [infer B, infer _H, infer T, infer D]
        ? X extends [infer BX, infer _HX, infer TX, infer DX]
          ? Differ<B, BX> extends true
            ? `${DimText<B>} is not ${DimText<BX>}`
            : What extends "features"
              ? Differ<D, DX> extends true
                ? `${DimText<D>} is not ${DimText<DX>}`
                : false
              : Differ<T, TX> extends true
                ? `${DimText<T>} is not ${DimText<TX>}`
                : false
          : "expected [batch, heads, time, features]"
        : "expected [batch, heads, time, features]";

type IfFit<Q, X, What extends string, Then> =
  Fault<Q, X, What> extends infer R
    ? R extends string
      ? `scaledDotProductAttention: ${ShapeText<Q>} and ${ShapeText<X>} do not fit: ${R}`
      : Then
    : never;

/**
 * Attention: `softmax(scale * q k^T + mask) v`, as PyTorch's `scaled_dot_product_attention`. Queries
 * `[batch, heads, queries, features]`, keys `[batch, heads, keys, features]` and values `[batch, heads, keys, width]` give
 * `[batch, heads, queries, width]`. Keys and values may have fewer heads, each of which serves as many consecutive query
 * heads (grouped-query attention, Ainslie et al. 2023). The result of a query that sees no key is 0, with gradient 0.
 *
 * @throws ShapeError when the shapes do not fit, the heads do not divide, or the mask does not broadcast to the scores
 * @throws RangeError for a dropout rate outside [0, 1); TypeError when `from` is neither a seed nor a generator
 */
export function scaledDotProductAttention<Q extends TensorOperand, K extends TensorOperand, V extends TensorOperand>(
  q: Q,
  k: IfFit<ShapeOf<Q>, ShapeOf<K>, "features", K>,
  v: IfFit<ShapeOf<K>, ShapeOf<V>, "time", V>,
  options?: ScaledDotProductAttentionOptions,
): Tensor<Attended<ShapeOf<Q>, ShapeOf<V>>, "float32">;
export function scaledDotProductAttention(
  q: AnyTensor,
  k: AnyTensor,
  v: AnyTensor,
  options: ScaledDotProductAttentionOptions = {},
): AnyTensor {
  const op = "scaledDotProductAttention";
  checkOperands(op, q, k, v);
  const { isCausal = false, dropout = 0, scale = 1 / Math.sqrt(q.shape[3]!) } = options;
  const mask = options.mask as TfTensor | AttentionMask | undefined;
  const rate = typeof dropout === "number" ? dropout : dropout.rate;
  checkRate(op, rate);
  const [batch, heads, queries] = q.shape as [number, number, number];
  const keys = k.shape[2]!;
  if (mask) checkBroadcast(op, "mask", mask, [batch, heads, queries, keys]);
  const drop = rate === 0 ? undefined : typeof dropout === "number" ? { rate, seed: drawSeed(options) } : dropout;
  const result = scoped(op, () => {
    const bias = mask instanceof tf.Tensor && mask.dtype === "float32" ? mask : undefined;
    const [a, b, c] = [q, k, v].map((x) => cast(x, "float32")) as [AnyTensor, AnyTensor, AnyTensor];
    return inHalf(a, b, c, bias, { mask, isCausal, drop, scale });
  });
  const names = namesOf(q);
  return label(result, names && [...names.slice(0, 3), namesOf(v)?.[3]]);
}

interface Rule {
  mask: TfTensor | AttentionMask | undefined;
  isCausal: boolean;
  drop: Dropout | undefined;
  scale: number;
}

/** The mask of the scores `[..., queries, keys]`. A prepared one is used as it is. */
function prepared({ mask, isCausal }: Rule, q: AnyTensor, k: AnyTensor): AttentionMask | undefined {
  if (mask && !(mask instanceof tf.Tensor)) return mask;
  if (isCausal) return conditioned(mask, causalCondition(q.shape[2]!, k.shape[2]!));
  return mask && (mask.dtype === "float32" ? maskOf(mask) : maskOfVisible(mask));
}

function checkOperands(op: string, q: AnyTensor, k: AnyTensor, v: AnyTensor): void {
  for (const x of [q, k, v]) checkTensor(op, x);
  const given = `${shapeText(q)}, ${shapeText(k)} and ${shapeText(v)}`;
  const rankFits = [q, k, v].every(({ rank }) => rank === 4);
  const [b, h, , d] = q.shape;
  const [bK, hK, t, dK] = k.shape;
  const [bV, hV, tV] = v.shape;
  if (!rankFits || b !== bK || b !== bV || hK !== hV || t !== tV || d !== dK)
    throw new ShapeError(
      `${op}: expected [batch, heads, queries, features], [batch, heads, keys, features] and [batch, heads, keys, width], got ${given}`,
    );
  if (h! % hK! !== 0)
    throw new ShapeError(`${op}: the ${h} heads of the queries are not a multiple of the ${hK} heads of the keys`);
}

/** On autocast's half list as a whole, with the softmax in half precision too, as in `attention`. */
const inHalf = autocastOp("half", attended);

function attended(q: AnyTensor, k: AnyTensor, v: AnyTensor, bias: AnyTensor | undefined, rule: Rule): AnyTensor {
  const { mask, drop } = rule;
  const isCausalAlone = rule.isCausal && !mask;
  const kernelRule = { scale: rule.scale, drop, isCausal: isCausalAlone };
  const read = mask instanceof tf.Tensor ? [mask] : [mask?.bias, mask?.sees];
  const inputs = bias ? [q, k, v, bias] : [q, k, v];
  return differentiable("scaledDotProductAttention", inputs, {
    captured: read.filter((x) => x !== undefined) as AnyTensor[],
    forward: (save) => {
      const given = isCausalAlone ? undefined : prepared(rule, q, k);
      const result = attendByKernel([q, k, v], given, kernelRule, save as (tensors: TfTensor[]) => void);
      if (result) return result as AnyTensor;
      const { y, ...weights } = attend({ q, k, v }, { ...rule, mask: isCausalAlone ? prepared(rule, q, k) : given });
      save([q, k, v, y, ...listed(weights)] as AnyTensor[]);
      return y as AnyTensor;
    },
    backward: (dy, saved) => {
      const byKernel = savedByKernel(saved, 3);
      const found = byKernel && gradientsByKernel(dy, byKernel, kernelRule);
      const ofBias = (scores: TfTensor) => to(sumTo(scores as AnyTensor, bias!.shape), storageOf(bias!)) as AnyTensor;
      if (found)
        return [
          ...found.map((each) => () => each as AnyTensor),
          ...(bias ? [() => scoped("bias", () => ofBias(scoresGradientByKernel(dy, byKernel, kernelRule)))] : []),
        ];
      const [keptQ, keptK, keptV, y, ...weights] = saved as [
        AnyTensor,
        AnyTensor,
        AnyTensor,
        AnyTensor,
        ...AnyTensor[],
      ];
      const operands = { q: keptQ, k: keptK, v: keptV };
      const again = () => {
        const givenMask = isCausalAlone ? prepared(rule, keptQ, keptK) : byKernel!.mask;
        return attend(operands, { ...rule, mask: givenMask });
      };
      const kept = byKernel ? outside(again) : weightsOf(weights, drop);
      const rowSums = sumOfRows(multiply(dy, y));
      const { dq, dk, dv, scores } = attentionGradients(dy, rowSums, operands, kept, rule);
      if (!bias) scores.dispose();
      return [dq, dk, dv].map((each) => () => each as AnyTensor).concat(bias ? [() => ofBias(scores)] : []);
    },
  });
}
