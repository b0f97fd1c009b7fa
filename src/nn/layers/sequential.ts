// Layers one after another.
import { inspect } from "node:util";
import { expectedArgument } from "../../base/layer-examples.ts";
import { formatCount } from "../../display/define-summary.ts";
import { engine, profileScope, tf } from "../../runtime/index.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { countParameters } from "../../tensor/index.ts";
import { isTensor } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { ApplyOptions, Layer } from "../layer.ts";
import { isPure } from "../pure.ts";
import type { Agreeing, ParameterList, Piped, Stage } from "./sequential-types.ts";
import { type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** Layers one after another: the type of `sequential([...])`. */
export type Sequential<L extends readonly Stage[]> = TensorLayer<ParameterList<L>, Piped<L>>;

/**
 * Layers and functions one after another, `sequential([linear({ in: 784, out: 32 }), relu, linear({ in: 32, out: 10 })])`:
 * `[batch, 784]` gives `[batch, 10]` (`torch.nn.Sequential`). Its parameters are a list with an entry for each element, `{}` for a
 * function. The last axis that a layer gives must be the one that the next takes. A recurrent layer passes its `outputs` on.
 *
 * @throws TypeError when `layers` is not an array or has an element that is neither a layer nor a function; ShapeError from `apply`
 *   where the shapes do not fit, with the layer's index
 */
export function sequential<const L extends readonly Stage[]>(layers: L & Agreeing<L>): Sequential<L>;
export function sequential(layers: readonly Stage[]): unknown {
  if (!Array.isArray(layers))
    throw new TypeError(`${expectedArgument("sequential")}, got ${inspect(layers, { depth: 0 })}`);
  const stages = layers.map(checkStage);
  const parameters = stages.map((stage) => stage.parameters);
  return tensorLayer({
    name: "sequential",
    settings: {},
    parameters,
    isPure: layers.every((stage) => isPure(typeof stage === "function" ? stage : stage.apply)),
    apply: (own, input, options) => {
      let value: unknown = input;
      for (const [i, stage] of stages.entries()) {
        const before = value;
        value = profileScope(`${i}`, () => tf.tidy(() => applied(stage, i, own[i]!, before, options) as never));
        if (before !== input && before !== value) free(before);
      }
      return value as AnyTensor;
    },
    summary: () => {
      const rows = layers.map((layer, i) => `  ${i}  ${textOf(layer).replaceAll("\n", "\n  ")}`);
      const size = formatCount(countParameters(parameters));
      return [`sequential of ${layers.length} layers with ${size} parameters:`, ...rows].join("\n");
    },
  });
}

type AnyLayer = Layer<object, unknown, unknown>;

function checkStage(stage: Stage | undefined, index: number): AnyLayer {
  if (typeof stage === "function") {
    const call = stage as (x: unknown) => unknown;
    return { parameters: {}, apply: (_, x) => profileScope(stage.name || "function", () => call(x)) };
  }
  if (typeof stage?.apply === "function" && typeof stage.parameters === "object") return stage as AnyLayer;
  throw new TypeError(
    `sequential: element ${index} must be a layer or a function, got ${inspect(stage, { depth: 0 })}`,
  );
}

function applied(stage: AnyLayer, index: number, parameters: object, x: unknown, options: ApplyOptions): unknown {
  try {
    const value = stage.apply(parameters, x, options);
    return isRecurrent(value) ? value.outputs : value;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new ShapeError(`sequential: layer ${index}: ${error.message}`, { cause: error });
  }
}

const isRecurrent = (value: unknown): value is { outputs: AnyTensor } =>
  typeof value === "object" && value !== null && "outputs" in value && "state" in value && !isTensor(value);

/** Frees an intermediate result, except one that a function kept or that was made elsewhere. */
function free(value: unknown): void {
  if (isTensor(value) && !value.kept && !value.isDisposed && value.scopeId === engine.state.activeScope?.id)
    value.dispose();
}

const textOf = (layer: Stage): string => {
  if (typeof layer === "function") return layer.name || "function";
  const hasSummary = Symbol.for("nodejs.util.inspect.custom") in layer;
  return hasSummary ? inspect(layer) : `layer: ${formatCount(countParameters(layer.parameters))} parameters`;
};
