import { tf } from "../runtime/index.ts";
import { placeOf } from "./axes.ts";
import { cast, checkTensor, differentiable, permuteTo, reduceOver, run, scalarOf, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { bernoulli, type RandomOptions } from "./random.ts";
import type { Axis, AxisOf } from "./types/axis.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** Runs `f` with one axis moved to the end, and moves it back. */
function onLast(op: string, x: AnyTensor, axis: Axis, f: (moved: AnyTensor) => AnyTensor): AnyTensor {
  checkTensor(op, x);
  const place = placeOf(op, x, axis);
  const compute = (given: AnyTensor) =>
    scoped(op, () => {
      const input = cast(given, "float32");
      if (place === x.rank - 1) return f(input);
      const last = [...x.shape.keys()].filter((i) => i !== place).concat(place);
      return permuteTo(
        f(permuteTo(input, last)),
        last.map((_, i) => last.indexOf(i)),
      );
    });
  return label(inFloat32(op, "float32", [x], compute), namesOf(x));
}

/** exp(x) / sum(exp(x)) along one axis, the last when none is given. */
export function softmax<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"softmax", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, "float32">;
export function softmax(x: AnyTensor, axis: Axis = -1): AnyTensor {
  return onLast("softmax", x, axis, (logits) => run("Softmax", { logits }, { dim: logits.rank - 1 }));
}

interface NativeBackend {
  executeSingleOutput(name: string, attributes: unknown[], inputs: AnyTensor[]): AnyTensor;
}

/** log(softmax(x)) along one axis, without overflow. */
export function logSoftmax<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"logSoftmax", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, "float32">;
export function logSoftmax(x: AnyTensor, axis: Axis = -1): AnyTensor {
  return onLast("logSoftmax", x, axis, lastLogSoftmax);
}

export function lastLogSoftmax(x: AnyTensor): AnyTensor {
  const last = [x.rank - 1];
  return differentiable("logSoftmax", [x], {
    forward: () => {
      const backend = tf.backend() as unknown as Partial<NativeBackend>;
      // tfjs has no such kernel and makes one of five; TensorFlow has.
      if (backend.executeSingleOutput) return backend.executeSingleOutput("LogSoftmax", nativeType(), [x]);
      const off = run("Sub", { a: x, b: reduceOver("Max", x, last, true) });
      return run("Sub", { a: off, b: run("Log", { x: reduceOver("Sum", run("Exp", { x: off }), last, true) }) });
    },
    keep: (value) => [value],
    backward: (dy, [value]) => [
      () => {
        const total = reduceOver("Sum", dy, last, true);
        return run("Sub", { a: dy, b: run("Multiply", { a: run("Exp", { x: value! }), b: total }) });
      },
    ],
  });
}

const nativeType = () => {
  const { binding } = tf.backend() as unknown as { binding: { TF_ATTR_TYPE: number; TF_FLOAT: number } };
  return [{ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
};

/**
 * Scales to mean 0 and variance 1 over the last axis, then by `weight` and `bias` (Ba, Kiros and Hinton 2016):
 * x [..., features], weight and bias [features]. Throws ShapeError for others.
 */
export function layerNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  bias?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function layerNorm(x: AnyTensor, weight?: TensorOperand, bias?: TensorOperand, epsilon = 1e-5): AnyTensor {
  checkTensor("layerNorm", x);
  const last = [placeOf("layerNorm", x, -1)];
  checkFeatures("layerNorm", x, weight, "weight");
  checkFeatures("layerNorm", x, bias, "bias");
  const compute = (given: AnyTensor, ...more: AnyTensor[]) =>
    scoped("layerNorm", () => {
      let value = normalized(cast(given, "float32"), last, epsilon, true);
      if (weight) value = run("Multiply", { a: value, b: cast(more.shift()!, "float32") });
      return bias ? run("Add", { a: value, b: cast(more.shift()!, "float32") }) : value;
    });
  const inputs = [x, weight, bias].filter((tensor) => tensor !== undefined) as AnyTensor[];
  return label(inFloat32("layerNorm", "float32", inputs, compute), namesOf(x));
}

/** Refuses a weight or bias that is not one number for each feature. */
function checkFeatures(op: string, x: AnyTensor, operand: TensorOperand | undefined, what: string): void {
  if (operand === undefined) return;
  const given = operand as AnyTensor;
  checkTensor(op, given);
  const features = x.shape.at(-1)!;
  if (given.rank !== 1 || given.shape[0] !== features)
    throw new ShapeError(`${op}: the ${what} of ${shapeText(x)} must be [${features}], got ${shapeText(given)}`);
}

/** Scales to root mean square 1 over the last axis, then by `weight` (Zhang and Sennrich 2019). */
export function rmsNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function rmsNorm(x: AnyTensor, weight?: TensorOperand, epsilon = 1e-5): AnyTensor {
  checkTensor("rmsNorm", x);
  const last = [placeOf("rmsNorm", x, -1)];
  checkFeatures("rmsNorm", x, weight, "weight");
  const compute = (given: AnyTensor, scale?: AnyTensor) =>
    scoped("rmsNorm", () => {
      const value = normalized(cast(given, "float32"), last, epsilon, false);
      return scale ? run("Multiply", { a: value, b: cast(scale, "float32") }) : value;
    });
  return label(inFloat32("rmsNorm", "float32", weight ? [x, weight as AnyTensor] : [x], compute), namesOf(x));
}

/** (x - mean) / sqrt(variance + epsilon); its gradient needs only the result and the scale. */
function normalized(x: AnyTensor, axis: number[], epsilon: number, centered: boolean): AnyTensor {
  const multiply = (a: AnyTensor, b: AnyTensor) => run("Multiply", { a, b });
  let scale: AnyTensor;
  return differentiable("normalize", [x], {
    forward: () => {
      const off = centered ? run("Sub", { a: x, b: reduceOver("Mean", x, axis, true) }) : x;
      const power = reduceOver("Mean", run("Square", { x: off }), axis, true);
      scale = run("Rsqrt", { x: run("Add", { a: power, b: scalarOf(epsilon, "float32") }) });
      return multiply(off, scale);
    },
    keep: (value) => [value, scale],
    backward: (dy, [value, kept]) => [
      () => {
        const along = multiply(value!, reduceOver("Mean", multiply(dy, value!), axis, true));
        const rest = centered ? run("Sub", { a: dy, b: reduceOver("Mean", dy, axis, true) }) : dy;
        return multiply(kept!, run("Sub", { a: rest, b: along }));
      },
    ],
  });
}

/**
 * Zeroes each element with probability `rate` and divides the others by what is left (Srivastava et al. 2014). The mask
 * comes from the seeded generator. A rate of 0 leaves the tensor as it is.
 */
export function dropout<T extends TensorOperand>(
  x: T,
  rate: number,
  options?: RandomOptions,
): Tensor<ShapeOf<T>, "float32">;
export function dropout(x: AnyTensor, rate: number, options?: RandomOptions): AnyTensor {
  checkTensor("dropout", x);
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: the rate must be at least 0 and below 1, got ${rate}`);
  const result = scoped("dropout", () => {
    if (rate === 0) return run("Identity", { x });
    const mask = bernoulli(x.shape, 1 - rate, options);
    const scaled = run("Multiply", { a: mask, b: scalarOf(1 / (1 - rate), "float32") });
    return inFloat32("dropout", "unlisted", [x], (given) => run("Multiply", { a: cast(given, "float32"), b: scaled }));
  });
  return label(result, namesOf(x));
}
