import { dropout as dropoutOp, seededDropout } from "../../tensor/dropout.ts";
import { checkRate } from "../../tensor/dropout-mask.ts";
import { cast } from "../../tensor/engine.ts";
import { label, namesOf } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { dropoutSeed } from "../layer.ts";
import type { SameShape } from "./shape-rule.ts";
import { areOptions, type NoParameters, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of the layer `dropout`. */
export interface DropoutOptions {
  /** The probability that an element becomes 0, in [0, 1). */
  rate: number;
}

/**
 * A dropout layer, `dropout({ rate: 0.1 })`, elementwise: in training it sets each element to 0 with probability `rate` and
 * divides the others by `1 - rate`; otherwise it changes nothing (Srivastava et al. 2014; `torch.nn.Dropout`). Its mask depends on
 * the `seed` of the options and on the dropouts before it. The rate is rounded to 1/65536.
 *
 * @throws RangeError for a rate outside [0, 1)
 */
export function dropout(options: DropoutOptions): TensorLayer<NoParameters, SameShape>;
/**
 * Sets each element to 0 with probability `rate`, rounded to 1/65536, and divides the others by `1 - rate`, elementwise. The mask
 * depends on two words of the seeded generator. A rate of 0 changes nothing.
 *
 * @throws RangeError for a rate outside [0, 1); TypeError when `from` is neither a seed nor a generator
 */
export function dropout<T extends TensorOperand>(
  x: T,
  rate: number,
  options?: RandomOptions,
): Tensor<ShapeOf<T>, "float32">;
export function dropout(...args: [DropoutOptions] | Parameters<typeof dropoutOp>): unknown {
  if (!areOptions("dropout", args)) return dropoutOp(...(args as Parameters<typeof dropoutOp>));
  const { rate } = args[0] as DropoutOptions;
  checkRate("dropout", rate);
  return tensorLayer({
    name: "dropout",
    settings: { rate },
    parameters: {},
    apply: (_, x, options) => {
      if (!options.training || rate === 0) return x;
      return label(seededDropout(cast(x, "float32"), { rate, seed: dropoutSeed(options) }), namesOf(x));
    },
  });
}
