import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { OptimizerStep } from "../amp/index.ts";
import { defineSummary, formatCount } from "../display/define-summary.ts";
import { categorize, tf, uninterrupted } from "../runtime/index.ts";
import { flatten, unflatten } from "../runtime/native/flatten.ts";
import { leaves, parameterList } from "../tensor/index.ts";

export interface OptimizerOptions {
  /** Used where `step` gets none. */
  learningRate?: number;
  /** Scales the gradients down so that their common norm is at most this; not done by default. */
  clipNorm?: number;
  /** Holds every element of the gradients between minus this and this; not done by default. */
  clipValue?: number;
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
  /**
   * Takes the gradients over, a list in the order of the variables or a tree of the parameters' form: they are freed.
   * Gives their common norm before clipping, when clipping by norm is on.
   */
  step: OptimizerStep<readonly Tensor[] | object, Scalar | undefined>;
  /** What it remembers, to be saved. */
  state(): OptimizerState;
  /** Goes on from a saved state, to the same bits. Throws RangeError when it is of other sizes. */
  restore(state: OptimizerState): void;
  /** Bytes of optimizer state. */
  bytes: number;
  dispose(): void;
}

/** One step of a rule, over all parameters as one vector. */
export interface Update {
  gradient: Tensor1D;
  /** The parameters as one vector; each call makes it anew. */
  parameters: () => Tensor1D;
  slots: Record<string, Tensor1D>;
  rate: number;
  /** From 1. */
  step: number;
}

/** What a step gives: the new slots first, then, once the old ones are freed, the new parameters. */
export interface Rule {
  /** As it is called: `AdamW`. */
  name: string;
  slots: readonly string[];
  advance(update: Update): Record<string, Tensor1D>;
  move(update: Update): Tensor1D;
}

/**
 * An optimizer by its rule. All parameters are updated as one vector, so a step takes the same few large ops for any
 * number of layers.
 */
export function flatOptimizer(parameters: object, options: OptimizerOptions, rule: Rule): Optimizer {
  const { learningRate = 1e-3, clipNorm, clipValue } = options;
  for (const [name, value] of Object.entries(options))
    if (typeof value === "number" && !(value >= 0)) throw new RangeError(`${name} must be 0 or more, got ${value}`);
  const variables = parameterList(parameters).map(({ variable }) => variable);
  if (variables.length === 0) throw new TypeError("there are no parameters in what the optimizer was given");
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
      throw new RangeError(`the optimizer has ${variables.length} variables and got ${gradients.length} gradients`);
    return uninterrupted(() => {
      const flat = flatten(gradients);
      tf.dispose(gradients);
      return flatStep(flat, rate);
    });
  };
  // Stopped in the middle it would leave new moments beside old parameters.
  const flatStep = (raw: Tensor1D, rate?: number) => uninterrupted(() => update(raw, rate));
  const update = (raw: Tensor1D, rate = learningRate) => {
    if (raw.size !== total)
      throw new RangeError(`the optimizer has ${total} numbers in its variables and got ${raw.size} in the gradients`);
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
        throw new RangeError(`the state is of ${length ?? "no"} numbers and the optimizer has ${total}`);
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
