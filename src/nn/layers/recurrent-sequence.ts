// Which steps of a batch of sequences are tokens, and the shapes that recurrent networks give, as types.
import { tf } from "../../runtime/index.ts";
import { cast, checkTensor } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { shapeText } from "../../tensor/names.ts";
import type { Multiply } from "../../tensor/types/number.ts";
import type { IsUnknown, Rest, Shape } from "../../tensor/types/shape.ts";
import type { AnyTensor, TensorOperand } from "../../tensor/types/tensor.ts";
import type { Sequences } from "./convolution-shape.ts";
import type { ShapeRule } from "./shape-rule.ts";

/** Where sequences have tokens: a mask, or their lengths; everywhere by default. */
export interface Padded {
  /** `[batch, time]`: 1 for a token and 0 for padding, a tensor or a batch's array. */
  mask?: TensorOperand | ArrayLike<number>;
  /** The number of tokens of each sequence, which stand first. */
  lengths?: ArrayLike<number>;
}

/** The mask `[batch, time]` as float32, undefined where every step is a token. Throws ShapeError for another size, TypeError for both. */
export function sequenceMask(
  name: string,
  { mask, lengths }: Padded,
  batch: number,
  time: number,
): AnyTensor | undefined {
  if (mask && lengths) throw new TypeError(`${name}: give either a mask or lengths, not both`);
  if (mask instanceof tf.Tensor) {
    const given = mask as unknown as AnyTensor;
    checkTensor(name, given);
    if (given.rank !== 2 || given.shape[0] !== batch || given.shape[1] !== time)
      throw new ShapeError(`${name}: expected the mask to be [${batch}, ${time}], got ${shapeText(given)}`);
    return cast(given, "float32");
  }
  const values = mask as ArrayLike<number> | undefined;
  if (values) {
    if (values.length !== batch * time)
      throw new ShapeError(`${name}: expected a mask of ${batch} * ${time} values, got ${values.length}`);
    return tf.tensor2d(Float32Array.from(values), [batch, time]) as AnyTensor;
  }
  if (!lengths) return undefined;
  if (lengths.length !== batch)
    throw new ShapeError(`${name}: expected a length for each of ${batch} sequences, got ${lengths.length}`);
  const tokens = new Float32Array(batch * time);
  for (let row = 0; row < batch; row++) {
    const length = lengths[row]!;
    if (!Number.isInteger(length) || length < 0 || length > time)
      throw new ShapeError(`${name}: length ${length} of sequence ${row} is not an integer from 0 to ${time}`);
    tokens.fill(1, row * time, row * time + length);
  }
  return tf.tensor2d(tokens, [batch, time]) as AnyTensor;
}

/** `[batch, time, in]` to `[batch, time, hidden]`, twice as wide with two directions. */
export interface RecurrentShape<Name extends string, In, Hidden, Bidirectional> extends ShapeRule {
  readonly out: Sequences<Name, this["in"], In> extends infer S
    ? S extends [infer Batch, infer Time, infer _]
      ? [Batch, Time, Width<Hidden, Bidirectional>]
      : S
    : never;
  readonly takes: In;
  readonly gives: Width<Hidden, Bidirectional>;
}

type Width<Hidden, Bidirectional> = [Bidirectional] extends [true] ? Multiply<Hidden, 2> : Hidden;

/** The shape of a final state of an input of shape `S`. */
export type StateShape<Count, S, Hidden> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [infer Batch, ...Rest<S>]
      ? [Extract<Count, number>, Extract<Batch, number | string>, Extract<Hidden, number>]
      : Shape;
