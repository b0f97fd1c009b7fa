import { stepInput } from "../runtime/native/capture/step-inputs.ts";
import type { ShapeIn } from "../tensor/types/shape.ts";
import type { ShapeOf, Tensor, TensorOperand } from "../tensor/types/tensor.ts";
import type { ApplyOptions, Model } from "./layer.ts";
import type { Ruled, ShapeRule } from "./layers/shape-rule.ts";
import type { TensorLayer } from "./layers/tensor-layer.ts";
import { isPure, markPure } from "./pure.ts";

/**
 * A model from a layer and what it reads of a batch, `modelOf(net, (batch: ImageBatch) => batch.images)`, for `train`: images
 * `[batch, height, width, channels]`, for instance, give the layer's result.
 */
export function modelOf<P extends object, R extends ShapeRule, B, T extends TensorOperand>(
  layer: TensorLayer<P, R>,
  input: (batch: B) => T,
): Model<P, B, Tensor<ShapeIn<Ruled<R, ShapeOf<T>>>, "float32">> {
  const apply = (parameters: P, batch: B, options?: ApplyOptions) =>
    layer.apply(parameters, stepInput(input, batch) as never, options) as never;
  return { parameters: layer.parameters, apply: isPure(layer.apply) ? markPure(apply) : apply };
}
