import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { dequantized, quantized, slotSizes } from "./block-quantization.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule, type Update } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { decayedGradient, moved, pipe, weightedSum } from "./vectors.ts";

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay rates of the two moments; [0.9, 0.999] by default. */
  betas?: readonly [number, number];
  /** Added to the denominator; 1e-8 by default. */
  epsilon?: number;
  /** Adds this times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /**
   * Bits of each number of the two moments; 32 by default. With 8, parameters of 4096 elements and more store a code for each number and
   * a scale for each block of 256 (block-wise dynamic quantization, Dettmers et al. 2022, arXiv 2110.02861; `bitsandbytes`), which takes
   * about a quarter of the memory.
   */
  stateBits?: 8 | 32;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<AdamOptions>[];
}

/** Options of `adamW`. */
export interface AdamWOptions extends AdamOptions {
  /** Subtracts this times the learning rate times the parameter at each step; 0.01 by default. */
  weightDecay?: number;
}

/**
 * AdamW with PyTorch's formula: first the decay, then `m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)`. Unlike
 * `tf.train.adam`, it adds epsilon after the bias correction. Clipping is PyTorch's `clip_grad_norm_`.
 *
 * Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization" (arXiv 1711.05101).
 *
 *     adamW(model.parameters, { groups: [{ match: /bias|scale|offset/, weightDecay: 0 }] })
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function adamW<P extends object>(parameters: P & Trainable<P>, options: AdamWOptions = {}): Optimizer {
  return flatOptimizer<AdamOptions>("AdamW", parameters, { weightDecay: 0.01, ...options }, (own, shapes) =>
    adamRule(own, shapes, true),
  );
}

/**
 * Adam with PyTorch's formula (Kingma & Ba 2015, arXiv 1412.6980); weight decay is added to the gradient.
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function adam<P extends object>(parameters: P & Trainable<P>, options: AdamOptions = {}): Optimizer {
  return flatOptimizer<AdamOptions>("Adam", parameters, options, (own, shapes) => adamRule(own, shapes, false));
}

function adamRule(options: AdamOptions, shapes: readonly (readonly number[])[], decoupled: boolean): Rule {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, stateBits = 32 } = options;
  if (stateBits !== 32 && stateBits !== 8) throw new RangeError(`stateBits must be 8 or 32, got ${stateBits}`);
  /** The factor of the step, and what is added to the root: sqrt(v) / c2 + e = (sqrt(v) + e c2) / c2 saves one pass over v. */
  const corrected = (rate: number, step: number) => {
    const correction2 = Math.sqrt(1 - betas[1] ** step);
    return { rate: (rate * correction2) / (1 - betas[0] ** step), epsilon: epsilon * correction2 };
  };
  const kept = (rate: number) => (decoupled ? 1 - rate * weightDecay : 1);
  const decay = decoupled ? 0 : weightDecay;
  const whole: Rule = {
    slots: ["first", "second"],
    fused: {
      kernel: "Adam",
      constants: (rate, step) => {
        const by = corrected(rate, step);
        return [1 - betas[0], betas[1], 1 - betas[1], by.rate, by.epsilon, kept(rate), decay];
      },
    },
    advance: ({ gradient: raw, parameters, slots: { first, second } }) => {
      const gradient = decayedGradient(raw, parameters, decay);
      return {
        first: pipe(
          tf.sub(gradient, first!) as Tensor1D,
          (difference) => tf.mul(difference, 1 - betas[0]),
          (change) => tf.add(first!, change),
        ),
        second: pipe(tf.square(gradient), (square) => weightedSum(second!, betas[1], square, 1 - betas[1])),
      };
    },
    move: ({ parameters, slots: { first, second }, rate, step }) => {
      const by = corrected(rate, step);
      return pipe(
        tf.sqrt(second!),
        (root) => tf.add(root, by.epsilon),
        (deviation) => tf.div(first!, deviation),
        (change) => moved(parameters, kept(rate), change, by.rate),
      );
    },
  };
  return stateBits === 32 ? whole : inEightBits(whole, shapes.map(sizeOf));
}

/** The same rule with its moments in 8 bits. */
function inEightBits(rule: Rule, sizes: readonly number[]): Rule {
  const momentsOf = (update: Update) =>
    rule.advance({ ...update, slots: dequantized(update.slots, sizes) }) as Record<"first" | "second", Tensor1D>;
  return {
    slots: slotSizes(sizes),
    fused: { ...rule.fused!, kernel: "Adam8" },
    advance: (update) => quantized(momentsOf(update), sizes),
    // By the moments before they are rounded.
    movesFirst: true,
    move: (update) => rule.move({ ...update, slots: momentsOf(update) }),
  };
}
