import { checkPositiveInteger } from "../../base/checks.ts";
import type { IfMatmul, MatmulShape } from "../../tensor/matmul.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { affineParameters, type Initialiser, type Parameter, randomFor } from "../initialisers.ts";
import { linear as linearOp } from "../ops/linear.ts";
import type { Features } from "./shape-rule.ts";
import { areOptions, checkLastAxis, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of the layer `linear`. */
export interface LinearOptions<In extends number = number, Out extends number = number, Bias extends boolean = boolean>
  extends RandomOptions {
  in: In;
  out: Out;
  /** Whether a bias is added; true by default. */
  bias?: Bias;
  /** The initial values; both uniform within `1 / sqrt(in)` by default, as in PyTorch. */
  init?: { weight?: Initialiser; bias?: Initialiser };
}

/** The parameters of a linear layer: `weight: [in, out]` and `bias: [out]`. */
export interface LinearParameters<In extends number = number, Out extends number = number> {
  weight: Parameter<[In, Out]>;
  bias: Parameter<[Out]>;
}

/** The parameters of a layer with or without a bias. */
export type WithBias<P extends { bias: unknown }, Bias> = [Bias] extends [false]
  ? Omit<P, "bias">
  : [Bias] extends [true]
    ? P
    : Omit<P, "bias"> & Partial<Pick<P, "bias">>;

/** A linear layer: `[..., in]` to `[..., out]`. */
export type Linear<In extends number, Out extends number, Bias = true> = TensorLayer<
  WithBias<LinearParameters<In, Out>, Bias>,
  Features<"linear", In, Out>
>;

/**
 * A linear layer, `linear({ in: 784, out: 10 })`: `[..., in]` gives `[..., out]`, with a weight `[in, out]` and a bias `[out]`
 * (`torch.nn.Linear`, whose weight is the transpose).
 *
 * @throws RangeError for a size that is not a positive integer; TypeError when `from` is neither a seed nor a generator;
 *   ShapeError when an initialiser gives another shape, or from `apply` for another number of features
 */
export function linear<const In extends number, const Out extends number, const Bias extends boolean = true>(
  options: LinearOptions<In, Out, Bias>,
): Linear<In, Out, Bias>;
/**
 * The affine map `x @ weight + bias`: `[..., in]` and `[in, out]` give `[..., out]`; the bias is `[out]` and optional. PyTorch's
 * weight is the transpose.
 *
 * @throws ShapeError when the shapes do not fit; RangeError from the layer of the same name
 */
export function linear<X extends TensorOperand, W extends TensorOperand>(
  x: X,
  weight: IfMatmul<ShapeOf<X>, ShapeOf<W>, W, "linear">,
  bias?: TensorOperand,
): Tensor<MatmulShape<ShapeOf<X>, ShapeOf<W>>, "float32">;
export function linear(...args: [LinearOptions] | [AnyTensor, AnyTensor, TensorOperand?]): unknown {
  if (areOptions("linear", args)) return layer(args[0] as LinearOptions);
  return linearOp(...(args as [AnyTensor, AnyTensor, TensorOperand?]));
}

function layer({ in: size, out, bias = true, init, from }: LinearOptions) {
  checkPositiveInteger("linear: in", size);
  checkPositiveInteger("linear: out", out);
  const bound = 1 / Math.sqrt(size);
  const parameters = affineParameters<[number, number]>(
    "linear",
    [size, out],
    out,
    bound,
    { bias, init },
    randomFor(from),
  );
  return tensorLayer({
    name: "linear",
    settings: { in: size, out, ...(bias ? {} : { bias }) },
    parameters,
    apply: (p, x) => {
      checkLastAxis("linear", x, size);
      return linearOp(x, p.weight, p.bias);
    },
  });
}
