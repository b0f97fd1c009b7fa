import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { OptimizerStep } from "../amp/index.ts";
import { counted } from "../base/counted.ts";
import { defineSummary, formatCount } from "../display/define-summary.ts";
import { markPure } from "../nn/pure.ts";
import { categorize, tf, uninterrupted } from "../runtime/index.ts";
import { holdUntilComputed } from "../runtime/native/capture/active.ts";
import { commit, Given, preventReplay, stepNumbers, stepState } from "../runtime/native/capture/step-inputs.ts";
import { flatten, unflatten } from "../runtime/native/flatten.ts";
import { type UpdateRule, updateNumbers, updateStep } from "../runtime/native/kernels/index.ts";
import { canFuse } from "../tensor/fused.ts";
import { clipFactor, normOf } from "./clip.ts";
import { gradientList } from "./gradient-list.ts";
import { checkState, type OptimizerState } from "./optimizer-state.ts";
import { groupParameters, type ParameterGroup } from "./parameter-groups.ts";

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** The learning rate of a `step` without one; 0.001 by default. */
  learningRate?: number;
  /** Scales the gradients so that their common norm is at most this, as `clip_grad_norm_`; off by default. */
  clipNorm?: number;
  /** Clips every element of the gradients to plus or minus this, as `clip_grad_value_`; off by default. */
  clipValue?: number;
}

/** Updates variables by their gradients. */
export interface Optimizer {
  /** The trainable variables, in the order of the tree that the optimizer was made with. */
  readonly variables: readonly Variable[];
  /** The learning rate of a `step` without one. It can be set. */
  learningRate: number;
  /**
   * Takes an array of gradients in the order of the variables, or a tree of the parameters' structure, and disposes them. Gradients
   * of variables that are not trainable are ignored. Gives the common norm before clipping if `clipNorm` is set. A step that fails,
   * for instance for lack of memory, changes neither parameters nor state. Throws RangeError when number, paths or sizes differ from
   * the parameters'.
   */
  step: OptimizerStep<readonly Tensor[] | object, Scalar | undefined>;
  /** A copy of the state, to be saved. The options are not part of it. */
  stateDict(): OptimizerState;
  /**
   * Continues from a saved state with the same bits. Throws RangeError, and changes nothing, when it is the state of other groups,
   * parameters or sizes.
   */
  loadStateDict(state: OptimizerState): void;
  /** Bytes of optimizer state. */
  readonly bytes: number;
  dispose(): void;
}

/** One step of a rule, over all parameters of a group as one vector. */
export interface Update {
  gradient: Tensor1D;
  /** The parameters as one vector; each call makes a new one. */
  parameters: () => Tensor1D;
  slots: Record<string, Tensor1D>;
  rate: number;
  /** From 1. */
  step: number;
}

/** An update rule: `advance` gives the new state, and with it `move` gives the new parameters. */
export interface Rule {
  /** Whether `move` takes the old state. */
  movesFirst?: boolean;
  /** The state by name, as many vectors of the parameters' size, or of the given number of elements. */
  slots: readonly string[] | Readonly<Record<string, number>>;
  advance(update: Update): Record<string, Tensor1D>;
  move(update: Update): Tensor1D;
  /** Both as one kernel, with clipping, where the parameters and gradients are float32. */
  fused?: UpdateRule;
}

/** The parameters and the state of a group after a step; an alias, because tf.tidy does not take interfaces. */
type Updated = {
  parameters: Tensor[];
  slots: Record<string, Tensor1D>;
};

/** The rule for parameters of the given shapes. */
type MakeRule<Options> = (options: Options, shapes: readonly (readonly number[])[]) => Rule;

/**
 * An optimizer with an update rule. All parameters of a group are updated as one vector, so a step takes the same few large
 * ops for any number of layers.
 */
export function flatOptimizer<Options extends OptimizerOptions>(
  name: string,
  parameters: object,
  options: Options & { groups?: readonly ParameterGroup<Options>[] },
  makeRule: MakeRule<Options>,
): Optimizer {
  const { clipNorm, clipValue } = options;
  let { learningRate = 1e-3 } = options;
  const { paths, variables, names, groups: parts } = groupParameters<Options>(name, parameters, options);
  const total = variables.reduce((sum, { size }) => sum + size, 0);
  const groups = parts.map(({ options: own, members }) => {
    const updated = members.map((i) => variables[i]!);
    const { slots, ...rule } = makeRule(own, shapesOf(updated));
    const size = updated.reduce((sum, variable) => sum + variable.size, 0);
    const sizes: Record<string, number> = isList(slots)
      ? Object.fromEntries(slots.map((slot) => [slot, size]))
      : { ...slots };
    const rateRatio = ratio(name, own.learningRate, learningRate);
    const paths = members.map((i) => names[i]!);
    const state = { sizes, slots: {} as Record<string, Tensor1D> };
    return { rule, members, variables: updated, names: paths, size, rateRatio, ...state };
  });
  type Group = (typeof groups)[number];
  // The largest last, because only the last one is updated in the memory that it has.
  const bySize = [...groups.keys()].sort((a, b) => groups[a]!.size - groups[b]!.size);
  const replace = (group: Group, made: Record<string, Tensor1D>) => {
    tf.dispose(Object.values(group.slots));
    group.slots = made;
    for (const tensor of Object.values(made)) tf.keep(tensor);
    categorize("optimizer state", Object.values(made));
  };
  for (const group of groups)
    replace(
      group,
      mapValues(group.sizes, (size) => tf.zeros([size]) as Tensor1D),
    );
  let taken = 0;

  const step = (given: readonly Tensor[] | object, rate?: number) => {
    const { gradients, all } = gradientList(given, variables, names, paths);
    return uninterrupted(() => {
      const lists = groups.map(({ members }) => members.map((i) => gradients[i]!));
      if (isFused(gradients)) return thenDispose(all, () => update(lists, rate, true));
      const vectors = thenDispose(all, () => tf.tidy(() => lists.map((list) => [flatten(list)])));
      return thenDispose(vectors, () => update(vectors, rate, false));
    });
  };
  const flatStep = (raw: Tensor1D, rate?: number) => {
    if (raw.size !== total)
      throw new RangeError(`Gradient size mismatch: the parameters have ${total} elements, the gradients ${raw.size}.`);
    return uninterrupted(() => {
      const vectors = groups.length === 1 ? [[raw]] : thenDispose(raw, () => regrouped(raw));
      return thenDispose(vectors, () => update(vectors, rate, isFused(vectors.flat())));
    });
  };
  const regrouped = (raw: Tensor1D): Tensor1D[][] => {
    const sizes = variables.map(({ size }) => size);
    return tf.tidy(() => {
      const split = tf.split(raw, sizes);
      return groups.map(({ members }) => [tf.concat1d(members.map((i) => split[i]!) as Tensor1D[])]);
    });
  };
  const isFused = (gradients: readonly Tensor[]) =>
    groups.every(({ rule }) => rule.fused) && canFuse("float32", ...variables, ...gradients);
  /** The state of now, without a copy of its memory. */
  const heldState = () => {
    const step = taken;
    const slots = groups.map((group) => mapValues(group.slots, (slot) => tf.keep(tf.clone(slot))));
    const restore = () => {
      taken = step;
      groups.forEach((group, g) => {
        replace(
          group,
          mapValues(slots[g]!, (slot) => tf.clone(slot)),
        );
      });
    };
    return { restore, release: () => tf.dispose(slots.flatMap((each) => Object.values(each))) };
  };
  const slotList = () => groups.flatMap(({ slots }) => Object.values(slots));
  const rateOf = (rate = learningRate): number => {
    if (rate >= 0 && Number.isFinite(rate)) return rate;
    throw new RangeError(
      `${name}: the learning rate of step ${taken + 1} must be a finite number of 0 or more, got ${rate}`,
    );
  };
  /** Nothing here allocates or fails, so that a step is taken by all groups or by none. */
  const take = (results: readonly Updated[]) => {
    taken++;
    groups.forEach((group, g) => {
      replace(group, results[g]!.slots);
      results[g]!.parameters.forEach((parameter, i) => {
        group.variables[i]!.assign(parameter);
      });
    });
  };
  /** By the gradients of each group: of each parameter, or one vector of all. */
  const update = (gradients: readonly (readonly Tensor[])[], given: number | undefined, isByKernel: boolean) => {
    const rate = rateOf(given);
    if (isByKernel) stepState(slotList);
    else preventReplay(`a step of ${name} is not one kernel`);
    holdUntilComputed(heldState);
    const all = gradients.flat();
    categorize("gradients", all);
    return tf.tidy(() => {
      const norm = clipNorm === undefined ? undefined : normOf(all);
      const results: Updated[] = [];
      for (const g of bySize) {
        const group = groups[g]!;
        results[g] = tf.tidy(() =>
          isByKernel
            ? updatedByKernel(group, gradients[g]!, norm, given, g === bySize.at(-1))
            : updated(group, gradients[g]![0] as Tensor1D, norm && clipFactor(norm, clipNorm!), rate * group.rateRatio),
        );
      }
      commit(results, take);
      return norm;
    });
  };
  const updatedByKernel = (
    { rule, variables, slots, rateRatio }: Group,
    gradients: readonly Tensor[],
    norm: Scalar | undefined,
    rate: number | undefined,
    isLast: boolean,
  ): Updated => {
    const { kernel, constants } = rule.fused!;
    const limits = { maxNorm: clipNorm, maxValue: clipValue };
    const numbers = stepNumbers(
      (now: number | undefined) => updateNumbers(constants(rateOf(now) * rateRatio, taken + 1), limits),
      new Given("learningRate", rate),
    );
    const given = { parameters: variables, gradients, slots: Object.values(slots), norm, numbers, isLast };
    const made = updateStep(kernel, given);
    const names = Object.keys(slots);
    return { parameters: made.parameters, slots: Object.fromEntries(names.map((name, i) => [name, made.slots[i]!])) };
  };
  const updated = (
    { rule, variables, slots }: Group,
    raw: Tensor1D,
    factor: Scalar | undefined,
    rate: number,
  ): Updated => {
    const scaled = factor ? (tf.mul(raw, factor) as Tensor1D) : raw;
    categorize("gradients", [scaled]);
    const gradient = clipValue === undefined ? scaled : (tf.clipByValue(scaled, -clipValue, clipValue) as Tensor1D);
    const given: Update = { gradient, parameters: () => flatten(variables), slots, rate, step: taken + 1 };
    const made = tf.tidy(() => rule.advance(given));
    const vector = tf.tidy(() => rule.move(rule.movesFirst ? given : { ...given, slots: made }));
    return { slots: made, parameters: unflatten(vector, variables) };
  };
  step.flat = flatStep;
  markPure(step);
  markPure(flatStep);

  const optimizer: Optimizer = {
    variables,
    get learningRate() {
      return learningRate;
    },
    set learningRate(rate) {
      if (!(rate >= 0)) throw new RangeError(`learningRate must be 0 or more, got ${rate}`);
      learningRate = rate;
    },
    step,
    stateDict: () => ({
      step: taken,
      groups: groups.map(({ names, slots }) => ({
        parameters: [...names],
        values: mapValues(slots, (slot) => slot.dataSync().slice() as Float32Array),
      })),
    }),
    loadStateDict(state) {
      checkState(name, state, groups);
      taken = state.step;
      groups.forEach((group, g) => {
        replace(
          group,
          mapValues(group.sizes, (_, slot) => tf.tensor1d(state.groups[g]!.values[slot]!)),
        );
      });
    },
    bytes: 4 * groups.reduce((sum, { sizes }) => Object.values(sizes).reduce((a, b) => a + b, sum), 0),
    dispose: () => tf.dispose(slotList()),
  };
  return defineSummary(optimizer, () => {
    const split = groups.length > 1 ? ` and ${groups.length} groups` : "";
    return `${name} of ${formatCount(total)} parameters in ${counted(variables.length, "tensor")}${split}: learning rate ${learningRate}, ${formatCount(taken)} steps taken`;
  });
}

/** What `f` gives; the tensors are disposed after it, also where it fails. */
function thenDispose<T>(tensors: Tensor | Tensor[] | Tensor[][], f: () => T): T {
  try {
    return f();
  } finally {
    tf.dispose(tensors);
  }
}

const shapesOf = (variables: readonly Variable[]) => variables.map(({ shape }) => shape);

const isList = (slots: Rule["slots"]): slots is readonly string[] => Array.isArray(slots);

/** A group's learning rate over the optimizer's. */
function ratio(name: string, own: number | undefined, common: number): number {
  if (own === undefined || own === common) return 1;
  if (common === 0)
    throw new RangeError(
      `${name}: a group has the learning rate ${own}, but the optimizer's is 0, so that no schedule can keep their ratio`,
    );
  return own / common;
}

const mapValues = <A, B>(record: Record<string, A>, f: (value: A, key: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)]));
