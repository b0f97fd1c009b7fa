import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";

/** Options of `adafactor`, with the defaults of `torch.optim.Adafactor`. */
export interface AdafactorOptions extends OptimizerOptions {
  /** The largest relative step: a parameter's rate is this times its root mean square, and at most 1 / sqrt(step); 0.01 by default. */
  learningRate?: number;
  /** The second moment of step t has the decay rate `1 - t ** beta2Decay`; -0.8 by default. */
  beta2Decay?: number;
  /** The smallest root of the second moment, 2^-23 by default, and the smallest root mean square of a parameter, 1e-3. */
  epsilon?: readonly [number, number];
  /** The largest root mean square of an update; 1 by default. */
  clipThreshold?: number;
  /** Subtracts this times the learning rate times the parameter at each step; 0 by default. */
  weightDecay?: number;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<AdafactorOptions>[];
}

/**
 * Adafactor with PyTorch's formula (`torch.optim.Adafactor`). The second moment of a matrix `[..., rows, columns]` is stored as the
 * means of its rows and of its columns, so the state of a matrix takes `rows + columns` numbers where Adam's takes twice
 * `rows * columns`; `bytes` says how much that is. The second moment of a vector is stored whole, and there is no first moment.
 *
 * Shazeer & Stern 2018, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (arXiv 1804.04235).
 *
 * @throws RangeError for a negative option, a `beta2Decay` above 0, a `clipThreshold` below 1, or a group without parameters;
 *   TypeError when no parameter is trainable, or one is a plain tensor
 */
export function adafactor<P extends object>(parameters: P & Trainable<P>, options: AdafactorOptions = {}): Optimizer {
  return flatOptimizer<AdafactorOptions>("Adafactor", parameters, { learningRate: 1e-2, ...options }, adafactorRule);
}

type Shape = readonly number[];

/** A tensor's part of the state: of a matrix the means of its rows `[..., rows, 1]` and columns `[..., 1, columns]`. */
const rowShape = (shape: Shape) => [...shape.slice(0, -1), 1];
const columnShape = (shape: Shape) => [...shape.slice(0, -2), 1, shape.at(-1)!];
const isMatrix = (shape: Shape) => shape.length > 1;

function adafactorRule(options: AdafactorOptions, shapes: readonly Shape[]): Rule {
  const { beta2Decay = -0.8, epsilon = [2 ** -23, 1e-3], clipThreshold = 1, weightDecay = 0 } = options;
  if (!(beta2Decay <= 0)) throw new RangeError(`beta2Decay must be 0 or less, got ${beta2Decay}`);
  if (!(clipThreshold >= 1)) throw new RangeError(`clipThreshold must be 1 or more, got ${clipThreshold}`);
  const layouts: Record<string, Shape[]> = {
    rows: shapes.filter(isMatrix).map(rowShape),
    columns: shapes.filter(isMatrix).map(columnShape),
    whole: shapes.filter((shape) => !isMatrix(shape)),
  };
  const used = Object.entries(layouts).filter(([, parts]) => parts.length > 0);
  const apart = (slots: Record<string, Tensor1D>) =>
    Object.fromEntries(used.map(([name, parts]) => [name, unpacked(slots[name]!, parts)]));

  return {
    slots: Object.fromEntries(used.map(([name, parts]) => [name, totalOf(parts)])),
    advance: ({ gradient, slots, step }) => {
      const squares = unpacked(gradient, shapes).map((part) => tf.square(part));
      const matrices = squares.filter(({ shape }) => isMatrix(shape));
      const fresh: Record<string, Tensor[]> = {
        rows: matrices.map((square) => tf.mean(square, -1, true)),
        columns: matrices.map((square) => tf.mean(square, -2, true)),
        whole: squares.filter(({ shape }) => !isMatrix(shape)),
      };
      const share = step ** beta2Decay;
      return Object.fromEntries(
        used.map(([name]) => {
          const old = slots[name]!;
          return [name, tf.add(old, tf.mul(tf.sub(packed(fresh[name]!), old), share)) as Tensor1D];
        }),
      );
    },
    move: ({ gradient, parameters, slots, rate, step }) => {
      const state = apart(slots);
      const limit = Math.min(rate, 1 / Math.sqrt(step));
      const values = unpacked(parameters(), shapes);
      let [matrix, vector] = [0, 0];
      const updated = (part: Tensor, i: number) => {
        const variance = isMatrix(part.shape)
          ? factored(state.rows![matrix]!, state.columns![matrix++]!, epsilon[0])
          : state.whole![vector++]!;
        const update = tf.mul(tf.rsqrt(tf.maximum(variance, epsilon[0] ** 2)), part);
        const scale = tf.mul(tf.maximum(rootMeanSquare(values[i]!), epsilon[1]), limit);
        const clipped = tf.maximum(tf.div(rootMeanSquare(update), clipThreshold), 1);
        const decayed = weightDecay === 0 ? values[i]! : tf.mul(values[i]!, 1 - rate * weightDecay);
        return tf.sub(decayed, tf.mul(update, tf.div(scale, clipped)));
      };
      return packed(unpacked(gradient, shapes).map((part, i) => tf.tidy(() => updated(part, i))));
    },
  };
}

/** The second moment from the means of its rows and columns: their product over the mean of the rows' means. */
function factored(rows: Tensor, columns: Tensor, least: number): Tensor {
  return tf.div(tf.mul(rows, columns), tf.maximum(tf.mean(rows, -2, true), least));
}

const rootMeanSquare = (x: Tensor): Scalar => tf.sqrt(tf.mean(tf.square(x))) as Scalar;

const totalOf = (shapes: readonly Shape[]): number => shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);

/** A vector as tensors of these shapes. */
function unpacked(vector: Tensor1D, shapes: readonly Shape[]): Tensor[] {
  return tf.split(vector, shapes.map(sizeOf)).map((part, i) => tf.reshape(part, [...shapes[i]!]));
}

const packed = (tensors: readonly Tensor[]): Tensor1D =>
  tf.concat1d(tensors.map((x) => tf.reshape(x, [x.size]) as Tensor1D));
