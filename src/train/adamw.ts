import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import { type ParameterTree, parameterList } from "../nn/index.ts";
import { integers, isNative } from "../nn/native.ts";
import { reshape } from "../nn/ops/primitives.ts";
import { attribute, tf } from "../runtime/index.ts";

export interface AdamWOptions {
  /** Used where `step` gets none; 0.001 by default. */
  learningRate?: number;
  betas?: readonly [number, number];
  epsilon?: number;
  /** Share of each parameter taken off at each step, times the learning rate; 0.01 by default. */
  weightDecay?: number;
  /** Scales the gradients down so that their common norm is at most this; not done by default. */
  clipNorm?: number;
}

/** What an optimizer remembers from step to step. */
export interface OptimizerState {
  /** Steps taken. */
  taken: number;
  /** Numbers by name, for instance Adam's two moments. */
  values: Record<string, Float32Array>;
}

/** Changes variables by their gradients, and remembers what it needs to from step to step. */
export interface Optimizer {
  variables: readonly Variable[];
  /** The rate of a step that gives none. */
  learningRate: number;
  /** Takes the gradients over: they are freed. Gives their common norm before clipping, when clipping is on. */
  step(gradients: Tensor[], learningRate?: number): Scalar | undefined;
  /** Bytes of optimizer state. */
  bytes: number;
  /** What it remembers, to be saved. */
  state(): OptimizerState;
  /** Goes on from a saved state. Throws RangeError when it is of other sizes. */
  restore(state: OptimizerState): void;
  dispose(): void;
}

/**
 * AdamW with PyTorch's formula: decay first, then `m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)`, epsilon added
 * after the bias correction (`tf.train.adam` adds it before, and lets no decay). Clipping is `clip_grad_norm_`.
 *
 * All parameters are updated as one vector, so a step takes the same twenty large ops for any number of layers.
 *
 * Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization" (arXiv 1711.05101).
 */
export function adamW(parameters: ParameterTree, options: AdamWOptions = {}): Optimizer {
  const { learningRate = 1e-3, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, clipNorm } = options;
  for (const [name, value] of Object.entries({ learningRate, epsilon, weightDecay, clipNorm })) {
    if (value !== undefined && !(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
  }
  const variables = parameterList(parameters).map(({ variable }) => variable);
  const sizes = variables.map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let first = tf.keep(tf.zeros([total])) as Tensor1D;
  let second = tf.keep(tf.zeros([total])) as Tensor1D;
  attribute("optimizer state", [first, second]);
  let taken = 0;

  const step = (gradients: Tensor[], rate = learningRate) => {
    if (gradients.length !== variables.length) {
      throw new RangeError(`the optimizer has ${variables.length} variables and got ${gradients.length} gradients`);
    }
    taken++;
    const correction1 = 1 - betas[0] ** taken;
    const correction2 = Math.sqrt(1 - betas[1] ** taken);
    return tf.tidy(() => {
      const raw = flatten(gradients);
      tf.dispose(gradients);
      const { gradient, norm } = clipNorm === undefined ? { gradient: raw } : clipped(raw, clipNorm);
      attribute("gradients", [raw, gradient]);
      const [m, v] = tf.tidy(() => [
        tf.add(first, tf.mul(tf.sub(gradient, first), 1 - betas[0])) as Tensor1D,
        tf.add(tf.mul(second, betas[1]), tf.mul(tf.square(gradient), 1 - betas[1])) as Tensor1D,
      ]) as [Tensor1D, Tensor1D];
      first.dispose();
      second.dispose();
      first = tf.keep(m);
      second = tf.keep(v);
      attribute("optimizer state", [first, second]);
      const updated = tf.tidy(() => {
        // sqrt(v) / c2 + e = (sqrt(v) + e c2) / c2: one pass fewer.
        const change = tf.div(m, tf.add(tf.sqrt(v), epsilon * correction2));
        const decayed = tf.mul(flatten(variables), 1 - rate * weightDecay);
        return tf.sub(decayed, tf.mul(change, (rate * correction2) / correction1)) as Tensor1D;
      });
      tf.split(updated, sizes).forEach((part, i) => {
        const variable = variables[i]!;
        variable.assign(shaped(part, variable.shape));
      });
      return norm as Scalar | undefined;
    });
  };
  const state = (): OptimizerState => ({
    taken,
    values: { first: copyOf(first), second: copyOf(second) },
  });
  const restore = (saved: OptimizerState) => {
    const moments = [saved.values.first, saved.values.second] as const;
    for (const moment of moments) {
      if (moment?.length !== total) {
        throw new RangeError(`the state is of ${moment?.length ?? "no"} numbers and the optimizer has ${total}`);
      }
    }
    tf.dispose([first, second]);
    first = tf.keep(tf.tensor1d(moments[0]!));
    second = tf.keep(tf.tensor1d(moments[1]!));
    taken = saved.taken;
  };
  const dispose = () => tf.dispose([first, second]);
  return { variables, learningRate, step, bytes: 8 * total, state, restore, dispose };
}

/** The common norm of the gradients, and the gradients scaled as PyTorch's `clip_grad_norm_` does. */
function clipped(gradient: Tensor1D, limit: number): { gradient: Tensor1D; norm: Scalar } {
  const norm = tf.sqrt(tf.sum(tf.square(gradient))) as Scalar;
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return { gradient: tf.mul(gradient, factor), norm };
}

function flatten(tensors: readonly Tensor[]): Tensor1D {
  return tf.tidy(() => tf.concat(tensors.map((tensor) => shaped(tensor, [tensor.size]) as Tensor1D)));
}

/** Reshaping with a shape that is already on the device takes half the time; there are dozens of them in a step. */
function shaped(tensor: Tensor, shape: number[]): Tensor {
  return isNative() ? reshape(tensor, integers(...shape)) : tf.reshape(tensor, shape);
}

function copyOf(moment: Tensor1D): Float32Array {
  return Float32Array.from(moment.dataSync());
}
