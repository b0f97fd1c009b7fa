import { sizeOf } from "../../base/shape.ts";
import { reshapeTo } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { Product } from "../../tensor/types/number.ts";
import type { IsUnknown, Rest, Shape } from "../../tensor/types/shape.ts";
import type { ShapeRule } from "./shape-rule.ts";
import { type NoParameters, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** `[batch, ...]` becomes `[batch, features]`. */
export interface Flattened extends ShapeRule {
  readonly out: FlatShape<this["in"]>;
  readonly takes: unknown;
  readonly gives: unknown;
}

type FlatShape<S> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [infer Batch, ...infer R extends Rest<S>]
      ? [Batch, Product<R>]
      : "flatten: expected [batch, ...], got []";

/**
 * A layer that joins all axes but the first: `[batch, 7, 7, 64]` gives `[batch, 3136]` (`torch.nn.Flatten`).
 *
 * @throws ShapeError, from `apply`, for a scalar
 */
export function flatten(): TensorLayer<NoParameters, Flattened> {
  return tensorLayer({
    name: "flatten",
    settings: {},
    parameters: {},
    apply: (_, x) => {
      if (x.rank === 0) throw new ShapeError(`flatten: expected [batch, ...], got ${shapeText(x)}`);
      return label(reshapeTo(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]), [namesOf(x)?.[0], undefined]);
    },
  });
}
