import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import { categorize, tf, uninterrupted } from "../runtime/index.ts";
import { flatten } from "../runtime/native/flatten.ts";
import { globalNorm } from "../runtime/native/kernels/index.ts";
import { canFuse } from "../tensor/fused.ts";
import { type Gradients, leaves, mapTree } from "../tensor/index.ts";

/** The norm of several tensors together. */
export function normOf(tensors: readonly Tensor[]): Scalar {
  if (canFuse("float32", ...tensors)) return globalNorm(tensors);
  // A copy costs less than an op for each of many tensors.
  const parts = tensors.length > 8 ? [flatten(tensors)] : tensors;
  return tf.sqrt(parts.map((part) => tf.sum(tf.square(part))).reduce((sum, more) => tf.add(sum, more))) as Scalar;
}

/** What `clip_grad_norm_` multiplies the gradients by. */
export const clipFactor = (norm: Scalar, maxNorm: number): Scalar =>
  tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1) as Scalar;

/**
 * Scales the gradients so that their common norm is at most `maxNorm`, and gives them with the norm before, as PyTorch's
 * `clip_grad_norm_`: the factor is `min(1, maxNorm / (norm + 1e-6))`. `gradients` is a tensor, or a list or tree of tensors of any
 * shape. They are disposed, and new ones returned in the same structure.
 *
 * @throws RangeError when `maxNorm` is negative; TypeError when there are no gradients
 */
export function clipGradNorm<T extends object>(
  gradients: T,
  maxNorm: number,
): { gradients: Gradients<T>; norm: Scalar } {
  const tensors = gradientLeaves("clipGradNorm", gradients, "maxNorm", maxNorm);
  return replaced(tensors, () => {
    const norm = tf.tidy(() => normOf(tensors));
    const factor = clipFactor(norm, maxNorm);
    return { gradients: scaled(gradients, (gradient) => tf.mul(gradient, factor)), norm };
  });
}

/**
 * Clips every element of the gradients to plus or minus `maxValue` and gives them, as PyTorch's `clip_grad_value_`. `gradients` is
 * a tensor, or a list or tree of tensors of any shape. They are disposed, and new ones returned in the same structure.
 *
 * @throws RangeError when `maxValue` is negative; TypeError when there are no gradients
 */
export function clipGradValue<T extends object>(gradients: T, maxValue: number): Gradients<T> {
  const tensors = gradientLeaves("clipGradValue", gradients, "maxValue", maxValue);
  return replaced(tensors, () => ({
    gradients: scaled(gradients, (gradient) => tf.clipByValue(gradient, -maxValue, maxValue)),
  })).gradients;
}

function gradientLeaves(op: string, gradients: object, name: string, limit: number): Tensor[] {
  if (!(limit >= 0)) throw new RangeError(`${op}: ${name} must be 0 or more, got ${limit}`);
  const tensors = leaves(gradients).map(({ tensor }) => tensor);
  if (tensors.length === 0) throw new TypeError(`${op}: expected a tensor, or a list or tree of tensors, got none`);
  return tensors;
}

const scaled = <T>(gradients: T, change: (gradient: Tensor) => Tensor): Gradients<T> =>
  mapTree(gradients, (gradient) => change(gradient)) as unknown as Gradients<T>;

/** Disposes the given tensors once the new ones exist. */
function replaced<R extends { gradients: unknown; norm?: Scalar }>(given: Tensor[], make: () => R): R {
  return uninterrupted(() => {
    let result: R | undefined;
    tf.tidy(() => {
      result = make();
      const made = leaves(result.gradients).map(({ tensor }) => tensor);
      categorize("gradients", made);
      return [...made, ...(result.norm ? [result.norm] : [])];
    });
    tf.dispose(given);
    return result!;
  });
}
