import type { Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { cast, checkTensor, differentiable, scoped } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { asStored, toFloat32 } from "../../tensor/half.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import { noGrad } from "../../tensor/tape.ts";
import type { AnyTensor, ShapeOf, TensorOperand, Tensor as Typed } from "../../tensor/types/tensor.ts";

/** Cosines and sines of the angles, `[time, features / 2]` or `[batch, 1, time, features / 2]`, for all layers of a model. */
export interface RotaryTable {
  cos: Tensor;
  sin: Tensor;
}

/** The angles that one position adds to the pairs of features of a head: `base^(-2i / size)`, `size / 2` of them. */
export const rotaryRates = (size: number, base: number): Float32Array =>
  Float32Array.from({ length: size / 2 }, (_, i) => base ** ((-2 * i) / size));

/** The table of some positions, `[time]` or `[batch, time]`, at these rates. */
export const rotaryTable = (positions: Tensor, rates: Float32Array): RotaryTable =>
  noGrad(() => angles(positions, rates));

function angles(positions: Tensor, rates: Float32Array): RotaryTable {
  const at = tf.cast(positions, "float32");
  const shape = at.rank === 1 ? [at.size, 1] : [at.shape[0]!, 1, at.shape[1]!, 1];
  const turns = tf.mul(tf.reshape(at, shape), tf.tensor1d(rates));
  return { cos: tf.cos(turns), sin: tf.sin(turns) };
}

/** Feature i and feature i + features / 2 turn together; `sign` is -1 to turn back. */
function turned(x: AnyTensor, { cos, sin }: RotaryTable, sign: 1 | -1): AnyTensor {
  return scoped("rotaryEmbedding", () => {
    const [a, b] = tf.split(toFloat32(x), 2, -1) as [AnyTensor, AnyTensor];
    const signed = sign === 1 ? sin : tf.neg(sin);
    const first = tf.sub(tf.mul(a, cos), tf.mul(b, signed));
    const second = tf.add(tf.mul(b, cos), tf.mul(a, signed));
    return asStored(tf.concat([first, second], -1), x);
  });
}

/** `[batch, heads, time, features]` turned by a table of its positions. */
export const rotated = (x: AnyTensor, table: RotaryTable): AnyTensor =>
  differentiable("rotaryEmbedding", [x], {
    forward: () => turned(x, table, 1),
    captured: [table.cos, table.sin],
    keep: () => [table.cos, table.sin],
    backward: (dy, [cos, sin]) => [() => turned(dy, { cos: cos!, sin: sin! }, -1)],
  });

/**
 * Rotary position embedding of queries or keys `[batch, heads, time, features]` (Su et al. 2021, arXiv 2104.09864): feature i and
 * feature `i + features / 2` turn by the angle `position * base^(-2i / features)`, as in Llama. `positions` are int32, `[time]` or
 * `[batch, time]`; 0 to `time - 1` by default. `base` is 10,000 by default.
 *
 * @throws ShapeError for an odd number of features, or positions that do not fit; RangeError for a base that is not positive
 */
export function rotaryEmbedding<T extends TensorOperand>(
  x: T,
  options?: { positions?: TensorOperand | undefined; base?: number | undefined },
): Typed<ShapeOf<T>, "float32">;
export function rotaryEmbedding(
  x: AnyTensor,
  { positions, base = 10_000 }: { positions?: TensorOperand | undefined; base?: number | undefined } = {},
): AnyTensor {
  checkTensor("rotaryEmbedding", x);
  const [batch, , time, size] = x.shape as [number, number, number, number];
  if (x.rank !== 4 || size % 2 !== 0)
    throw new ShapeError(
      `rotaryEmbedding: expected [batch, heads, time, features] with an even number of features, got ${shapeText(x)}`,
    );
  if (!(base > 0)) throw new RangeError(`rotaryEmbedding: base must be positive, got ${base}`);
  const given = positions as Tensor2D | undefined;
  if (given && given.shape.join() !== `${time}` && given.shape.join() !== `${batch},${time}`)
    throw new ShapeError(
      `rotaryEmbedding: the positions of ${shapeText(x)} must be [${time}] or [${batch}, ${time}], got [${given.shape.join(", ")}]`,
    );
  return scoped("rotaryEmbedding", () => {
    const table = rotaryTable(given ?? tf.range(0, time, 1, "int32"), rotaryRates(size, base));
    const result = rotated(cast(x, "float32"), table);
    return label(result, namesOf(x));
  });
}
