import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { OptimizerStep } from "../amp/index.ts";
import { defineSummary, formatCount } from "../display/define-summary.ts";
import { categorize, tf, uninterrupted } from "../runtime/index.ts";
import { flatten, unflatten } from "../runtime/native/flatten.ts";
import { leaves, parameterList } from "../tensor/index.ts";

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** The learning rate of a `step` without one; 0.001 by default. */
  learningRate?: number;
  /** Scales the gradients so that their common norm is at most this, as `clip_grad_norm_`; off by default. */
  clipNorm?: number;
  /** Clips every element of the gradients to plus or minus this, as `clip_grad_value_`; off by default. */
  clipValue?: number;
}

/** The state of an optimizer between steps. */
export interface OptimizerState {
  /** Steps taken. */
  taken: number;
  /** State by name, for instance Adam's two moments. */
  values: Record<string, Float32Array>;
}

/** Updates variables by their gradients. */
export interface Optimizer {
  variables: readonly Variable[];
  /** The learning rate of a `step` without one. */
  learningRate: number;
  /**
   * Takes an array of gradients in the order of the variables, or a tree of the parameters' structure, and disposes them. Gives
   * their common norm before clipping if `clipNorm` is set. Throws RangeError when number or size differ from the parameters'.
   */
  step: OptimizerStep<readonly Tensor[] | object, Scalar | undefined>;
  /** A copy of the state, to be saved. */
  state(): OptimizerState;
  /** Continues from a saved state with the same bits. Throws RangeError when its size is another one. */
  restore(state: OptimizerState): void;
  /** Bytes of optimizer state. */
  bytes: number;
  dispose(): void;
}

/** One step of a rule, over all parameters as one vector. */
export interface Update {
  gradient: Tensor1D;
  /** The parameters as one vector; each call makes a new one. */
  parameters: () => Tensor1D;
  slots: Record<string, Tensor1D>;
  rate: number;
  /** From 1. */
  step: number;
}

/** An update rule: `advance` gives the new state, and, once the old state is freed, `move` the new parameters. */
export interface Rule {
  /** For instance `AdamW`. */
  name: string;
  slots: readonly string[];
  advance(update: Update): Record<string, Tensor1D>;
  move(update: Update): Tensor1D;
}

/**
 * An optimizer with an update rule. All parameters are updated as one vector, so a step takes the same few large ops for any
 * number of layers.
 */
export function flatOptimizer(parameters: object, options: OptimizerOptions, rule: Rule): Optimizer {
  const { learningRate = 1e-3, clipNorm, clipValue } = options;
  for (const [name, value] of Object.entries(options))
    if (typeof value === "number" && !(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
  const variables = parameterList(parameters).map(({ variable }) => variable);
  if (variables.length === 0) throw new TypeError(`${rule.name}: expected at least one parameter, got none`);
  const total = variables.reduce((sum, { size }) => sum + size, 0);
  let slots = Object.fromEntries(rule.slots.map((name) => [name, tf.keep(tf.zeros([total])) as Tensor1D]));
  categorize("optimizer state", Object.values(slots));
  let taken = 0;

  const replace = (made: Record<string, Tensor1D>) => {
    tf.dispose(Object.values(slots));
    slots = made;
    for (const tensor of Object.values(made)) tf.keep(tensor);
    categorize("optimizer state", Object.values(made));
  };
  const step = (given: readonly Tensor[] | object, rate?: number) => {
    const gradients = Array.isArray(given) ? (given as Tensor[]) : leaves(given).map(({ tensor }) => tensor);
    if (gradients.length !== variables.length)
      throw new RangeError(
        `Gradient count mismatch: there are ${variables.length} parameters and ${gradients.length} gradients.`,
      );
    return uninterrupted(() => {
      const flat = flatten(gradients);
      tf.dispose(gradients);
      return flatStep(flat, rate);
    });
  };
  // An interrupt in the middle would leave new moments with old parameters.
  const flatStep = (raw: Tensor1D, rate?: number) => uninterrupted(() => update(raw, rate));
  const update = (raw: Tensor1D, rate = learningRate) => {
    if (raw.size !== total)
      throw new RangeError(`Gradient size mismatch: the parameters have ${total} elements, the gradients ${raw.size}.`);
    taken++;
    const norm = tf.tidy(() => {
      const { gradient, norm } = clipNorm === undefined ? { gradient: raw } : clipped(raw, clipNorm);
      categorize("gradients", [raw, gradient]);
      const held = clipValue === undefined ? gradient : (tf.clipByValue(gradient, -clipValue, clipValue) as Tensor1D);
      const parts = () => ({ gradient: held, parameters: () => flatten(variables), slots, rate, step: taken });
      replace(tf.tidy(() => rule.advance(parts())));
      const updated = tf.tidy(() => rule.move(parts()));
      unflatten(updated, variables).forEach((part, i) => {
        variables[i]!.assign(part);
      });
      return norm as Scalar | undefined;
    });
    raw.dispose();
    return norm;
  };
  const state = (): OptimizerState => ({
    taken,
    values: Object.fromEntries(Object.entries(slots).map(([name, slot]) => [name, Float32Array.from(slot.dataSync())])),
  });
  const restore = (saved: OptimizerState) => {
    for (const name of rule.slots) {
      const length = saved.values[name]?.length;
      if (length !== total)
        throw new RangeError(
          `Optimizer state size mismatch: ${name} has ${length ?? "no"} elements, the parameters ${total}.`,
        );
    }
    taken = saved.taken;
    replace(Object.fromEntries(rule.slots.map((name) => [name, tf.tensor1d(saved.values[name]!)])));
  };
  const dispose = () => tf.dispose(Object.values(slots));
  const bytes = 4 * rule.slots.length * total;
  step.flat = flatStep;
  const optimizer = { variables, learningRate, step, state, restore, bytes, dispose };
  return defineSummary(
    optimizer,
    () =>
      `${rule.name} of ${formatCount(total)} parameters in ${variables.length} tensors: learning rate ${learningRate}, ${formatCount(taken)} steps taken`,
  );
}

/** The common norm of the gradients, and the gradients scaled as PyTorch's `clip_grad_norm_` does. */
function clipped(gradient: Tensor1D, limit: number): { gradient: Tensor1D; norm: Scalar } {
  const norm = tf.sqrt(tf.sum(tf.square(gradient))) as Scalar;
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return { gradient: tf.mul(gradient, factor), norm };
}
