import { storageOf, to } from "../storage/index.ts";
import { broadcastNames, broadcastShape, expandTo } from "./broadcast.ts";
import { cast, checkTensor, run, scalarOf, scoped } from "./engine.ts";
import { floatsBeside } from "./half.ts";
import { int32Of } from "./int32.ts";
import { label, namesOf } from "./names.ts";
import type { Broadcast, IfBroadcast } from "./types/broadcast.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, NumberOrTensor, Operand, ShapeOf, Tensor, TensorOperand, WiderDType } from "./types/tensor.ts";

/**
 * `a` where `condition`, a bool tensor, is true and `b` elsewhere; elementwise, broadcasts (`numpy.where`).
 *
 * @throws TypeError for a condition that is not bool; ShapeError when the shapes do not broadcast; RangeError for a number
 *   outside int32 where the result is int32
 */
export function where<C extends TensorOperand, A extends NumberOrTensor, B extends NumberOrTensor>(
  condition: C,
  a: IfBroadcast<"where", ShapeOf<C>, ShapeOf<A>, A>,
  b: IfBroadcast<"where", Broadcast<ShapeOf<C>, ShapeOf<A>, C>, ShapeOf<B>, B>,
): Tensor<Broadcast<Broadcast<ShapeOf<C>, ShapeOf<A>, C>, ShapeOf<B>, C>, WiderDType<A, B>>;
export function where(condition: AnyTensor, a: Operand, b: Operand): AnyTensor {
  checkTensor("where", condition);
  for (const x of [a, b]) if (typeof x !== "number") checkTensor("where", x);
  if (condition.dtype !== "bool")
    throw new TypeError(`where: the condition must be a bool tensor, got ${condition.dtype}`);
  let names = namesOf(condition);
  const result = scoped("where", () => {
    const dtype = commonOf(a, b);
    const [x, y] = [choiceOf(a, b, dtype), choiceOf(b, a, dtype)];
    let shape: readonly number[] = condition.shape;
    for (const choice of [x, y]) {
      if (typeof choice === "number") continue;
      const middle = label({ shape, dtype, rank: shape.length } as unknown as AnyTensor, names);
      names = broadcastNames("where", middle, choice);
      shape = broadcastShape(shape, choice.shape);
    }
    const [t, e] = [choiceIn(shape, x, y, dtype), choiceIn(shape, y, x, dtype)];
    return run("Select", { condition: expandTo(condition, shape), t, e });
  });
  return label(result, names);
}

/** A choice of `where` in the common dtype; a scalar is stored as the tensor with axes beside it. */
function choiceOf(choice: Operand, other: Operand, dtype: DType): Operand {
  if (typeof choice === "number") return dtype === "int32" ? int32Of("where", choice) : choice;
  if (dtype !== "float32") return cast(choice, dtype);
  const floats = floatsBeside(choice, other);
  const givesWay = choice.rank === 0 && typeof other !== "number" && other.rank > 0 && other.dtype === "float32";
  return givesWay ? to(floats, storageOf(other)) : floats;
}

/** A choice of `where` in the whole shape; a number is stored as the tensor beside it. */
function choiceIn(shape: readonly number[], choice: Operand, other: Operand, dtype: DType): AnyTensor {
  if (typeof choice !== "number") return expandTo(choice, shape);
  const number = scalarOf(choice, dtype);
  if (typeof other === "number" || storageOf(other) === "float32") return expandTo(number, shape);
  return run("Add", { a: run("ZerosLike", { x: expandTo(other, shape) }), b: number });
}

function commonOf(a: Operand, b: Operand): DType {
  const tensors = [a, b].filter((x) => typeof x !== "number");
  if (
    tensors.length > 0 &&
    tensors.every((x) => x.dtype !== "float32") &&
    [a, b].every((x) => typeof x !== "number" || Number.isInteger(x))
  )
    return tensors.every((x) => x.dtype === "bool") && tensors.length === 2 ? "bool" : "int32";
  return "float32";
}
