import { axisIndex } from "./axes.ts";
import { cast, checkTensor, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { floatsBeside } from "./half.ts";
import { dimText, label, namesOf, shapeText } from "./names.ts";
import type { Axis, AxisOf } from "./types/axis.ts";
import type { Concatenated, IfConcat, Stacked } from "./types/layout.ts";
import type { DType } from "./types/shape.ts";
import type { IfSplit, Parts, Slices } from "./types/split.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Shapes, Tensor, TensorOperand } from "./types/tensor.ts";

type List = readonly AnyTensor[];

const order: readonly string[] = ["bool", "int32", "float32"];

/** The tensors in the widest of their dtypes. */
function alike(op: string, xs: List): AnyTensor[] {
  if (xs.length === 0) throw new ShapeError(`${op}: expected at least one tensor, got none`);
  for (const x of xs) checkTensor(op, x);
  const dtype = xs.reduce(
    (wide, x) => (order.indexOf(x.dtype) > order.indexOf(wide) ? x.dtype : wide),
    xs[0]!.dtype as string,
  );
  const beside = xs.find((x) => x.dtype === dtype)!;
  return xs.map((x) => (dtype === "float32" ? floatsBeside(x, beside) : cast(x, dtype as DType)));
}

/**
 * Joins tensors along an existing axis, 0 by default: `[2, 3]` and `[4, 3]` give `[6, 3]`. The result has the widest dtype.
 *
 * @throws ShapeError when there are no tensors, or another axis differs
 */
export function concat<const T extends readonly TensorOperand[], const A extends Axis = 0>(
  tensors: IfConcat<Shapes<T>, A, T>,
  axis?: A,
): Tensor<Concatenated<Shapes<T>, A>, DTypeOf<T[number]>>;
export function concat(tensors: List, axis: Axis = 0): AnyTensor {
  const first = tensors[0]!;
  if (tensors.length === 0) throw new ShapeError("concat: expected at least one tensor, got none");
  const place = axisIndex("concat", first, axis);
  for (const x of tensors.slice(1)) checkJoin(first, x, place, axis);
  const result = scoped("concat", () => {
    const inputs = alike("concat", tensors);
    return inputs.length === 1
      ? run("Identity", { x: inputs[0]! })
      : run("Concat", inputs as unknown as Record<string, AnyTensor>, { axis: place });
  });
  return label(result, namesOf(first));
}

function checkJoin(a: AnyTensor, b: AnyTensor, place: number, axis: Axis): void {
  checkTensor("concat", b);
  const both = `concat: ${shapeText(a)} and ${shapeText(b)}`;
  if (a.rank !== b.rank) throw new ShapeError(`${both} do not have the same number of axes`);
  const [left, right] = [namesOf(a), namesOf(b)];
  for (let i = 0; i < a.rank; i++) {
    const clash = left?.[i] !== undefined && right?.[i] !== undefined && left[i] !== right[i];
    if (i !== place && (a.shape[i] !== b.shape[i] || clash)) {
      const [one, other] = [dimText(a.shape[i]!, left?.[i]), dimText(b.shape[i]!, right?.[i])];
      throw new ShapeError(`${both} do not join along axis ${axis}: ${one} is not ${other}`);
    }
  }
}

/**
 * Joins tensors of one shape along a new axis, 0 by default: two of `[3]` give `[2, 3]`. The result has the widest dtype.
 *
 * @throws ShapeError when there are no tensors, or their shapes differ
 */
export function stack<const T extends readonly TensorOperand[], const A extends number = 0>(
  tensors: T,
  axis?: A,
): Tensor<Stacked<ShapeOf<T[0]>, A, T["length"]>, DTypeOf<T[number]>>;
export function stack(tensors: List, axis = 0): AnyTensor {
  if (tensors.length === 0) throw new ShapeError("stack: expected at least one tensor, got none");
  const first = tensors[0]!;
  checkTensor("stack", first);
  const place = axisIndex("stack", first, axis, first.rank + 1);
  for (const x of tensors)
    if (x.rank !== first.rank || x.shape.some((d, i) => d !== first.shape[i]))
      throw new ShapeError(`stack: the shapes ${shapeText(first)} and ${shapeText(x)} must be the same`);
  const result = scoped("stack", () =>
    run("Pack", alike("stack", tensors) as unknown as Record<string, AnyTensor>, { axis: place }),
  );
  return label(result, namesOf(first)?.toSpliced(place, 0, undefined));
}

/**
 * Cuts a tensor along an axis, 0 by default, into `parts` equal parts or into parts of the given sizes: `[6, 3]` into 2 gives
 * two of `[3, 3]`.
 *
 * @throws ShapeError when the parts do not add up to the size of the axis
 */
export function split<T extends TensorOperand, const P extends number | readonly number[], const A extends Axis = 0>(
  x: T,
  parts: IfSplit<ShapeOf<T>, P, A, P>,
  axis?: AxisOf<"split", ShapeOf<T>, A>,
): Parts<ShapeOf<T>, P, A, DTypeOf<T>>;
export function split(x: AnyTensor, parts: number | readonly number[], axis: Axis = 0): AnyTensor[] {
  checkTensor("split", x);
  const place = axisIndex("split", x, axis);
  const length = x.shape[place]!;
  if (typeof parts === "number" && !(Number.isInteger(parts) && parts > 0 && length % parts === 0))
    throw new ShapeError(`split: axis ${axis} of ${shapeText(x)} cannot be split into ${parts} equal parts`);
  const sizes = typeof parts === "number" ? Array<number>(parts).fill(length / parts) : [...parts];
  if (
    sizes.reduce((sum, size) => sum + size, 0) !== length ||
    sizes.some((size) => !(Number.isInteger(size) && size >= 0))
  )
    throw new ShapeError(
      `split: the sizes [${sizes.join(", ")}] do not add up to the size of axis ${axis} of ${shapeText(x)}`,
    );
  if (sizes.length === 0) return [];
  const result = run("SplitV", { x }, { numOrSizeSplits: sizes, axis: place }) as unknown as AnyTensor[];
  return result.map((part) => label(part, namesOf(x)));
}

/**
 * The slices of a tensor along an axis, 0 by default, without that axis: `[2, 3]` gives two of `[3]` (`torch.unbind`).
 *
 * @throws ShapeError for an unknown axis
 */
export function unstack<T extends TensorOperand, const A extends Axis = 0>(
  x: T,
  axis?: AxisOf<"unstack", ShapeOf<T>, A>,
): Slices<ShapeOf<T>, A, DTypeOf<T>>;
export function unstack(x: AnyTensor, axis: Axis = 0): AnyTensor[] {
  checkTensor("unstack", x);
  const place = axisIndex("unstack", x, axis);
  const result = run("Unpack", { value: x }, { axis: place }) as unknown as AnyTensor[];
  return result.map((part) => label(part, namesOf(x)?.toSpliced(place, 1)));
}
