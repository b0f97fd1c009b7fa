// What the layers of this folder have in common: a function of one tensor with a shape rule, a name and a summary.
import { inspect } from "node:util";
import { expectedArgument } from "../../base/layer-examples.ts";
import { isPlain } from "../../base/plain-object.ts";
import { defineSummary, formatCount } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { checkTensor, run } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { countParameters } from "../../tensor/index.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { ShapeIn } from "../../tensor/types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import type { ApplyOptions } from "../layer.ts";
import { markPure } from "../pure.ts";
import type { Ruled, ShapeRule } from "./shape-rule.ts";

export declare const ruleOf: unique symbol;

/** A layer from one tensor to one tensor, whose rule computes the shape of its result. */
export interface TensorLayer<P extends object, R extends ShapeRule> {
  readonly parameters: P;
  /** For types only: this property does not exist at run time. */
  readonly [ruleOf]: R;
  /**
   * The layer of `input`, with these parameters.
   *
   * @throws ShapeError for a shape that the layer does not take
   */
  apply<T extends TensorOperand>(
    parameters: P,
    input: Taken<Ruled<R, ShapeOf<T>>, T>,
    options?: ApplyOptions,
  ): Tensor<ShapeIn<Ruled<R, ShapeOf<T>>>, "float32">;
}

/** `T`, or the message for a shape that the layer does not take. */
export type Taken<Out, T> = Out extends string ? Out : T;

/** Without parameters. */
export type NoParameters = Record<never, never>;

interface Made<P extends object> {
  name: string;
  /** The settings that the summary shows: `in: 784, out: 128`. */
  settings: object;
  parameters: P;
  apply(parameters: P, input: AnyTensor, options: ApplyOptions): AnyTensor;
  /** Whether `apply` and all that it calls is pure, as it is for the layers of this library; true by default. */
  isPure?: boolean;
  /** What is shown of the layer; by default its name, its settings and the number of its parameters. */
  summary?: () => string;
}

/** A layer whose `apply` frees what it makes on the way; its result is never the input itself. */
export function tensorLayer<P extends object, R extends ShapeRule>(layer: Made<P>): TensorLayer<P, R> {
  const { name, parameters } = layer;
  const apply = (own: P, input: AnyTensor, options: ApplyOptions = {}) => {
    checkTensor(name, input);
    return profileScope(name, () =>
      tf.tidy(name, () => {
        const result = layer.apply(own, input, options);
        return result === input ? label(run("Identity", { x: input }), namesOf(input)) : result;
      }),
    );
  };
  if (layer.isPure ?? true) markPure(apply);
  const made = { parameters, apply } as unknown as TensorLayer<P, R>;
  return defineSummary(made, layer.summary ?? (() => summaryOf(name, layer.settings, parameters)));
}

/** `linear({ in: 784, out: 128 }): 100,480 parameters`. */
export function summaryOf(name: string, settings: object, parameters: object): string {
  const parts = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const count = countParameters(parameters);
  const size = count > 0 ? `: ${formatCount(count)} parameters` : "";
  return `${name}(${parts.length > 0 ? `{ ${parts.join(", ")} }` : ""})${size}`;
}

/** Throws ShapeError unless the last axis has this size. */
export function checkLastAxis(name: string, x: AnyTensor, features: number): void {
  if (x.shape.at(-1) !== features) throw new ShapeError(`${name}: expected [..., ${features}], got ${shapeText(x)}`);
}

/** Throws ShapeError unless `x` is `[batch, time, features]`, of this batch size where it is given. */
export function checkSequences(name: string, x: AnyTensor, features: number, batch?: number): void {
  checkTensor(name, x);
  if (x.rank === 3 && x.shape[2] === features && (batch === undefined || x.shape[0] === batch)) return;
  throw new ShapeError(`${name}: expected [${batch ?? "batch"}, time, ${features}], got ${shapeText(x)}`);
}

/** The options that a summary shows: all but the seed and the initial values. */
export const settingsOf = ({ from: _, init: _own, ...settings }: RandomOptions & { init?: unknown }): object =>
  settings;

/**
 * Whether these are the arguments of a layer, a single object of options, and not those of the op of the same name. Throws TypeError
 * for a number, which neither of them takes.
 */
export function areOptions(name: string, args: readonly unknown[]): boolean {
  if (typeof args[0] === "number") requireOptions(name, args[0]);
  return args.length === 1 && isPlain(args[0]);
}

/** Throws TypeError unless the options are an object. PyTorch's layers take their sizes one by one. */
export function requireOptions(name: string, options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${expectedArgument(name)}, got ${inspect(options)}`);
}
