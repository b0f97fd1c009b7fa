// Broadcasting at run time; types/broadcast.ts is the same for types.
import { differentiable, reduceOver, reshapeTo, run, sameShape, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { type AxisNames, dimText, label, namesOf, shapeText, sizesText } from "./names.ts";
import type { ShapeOfSizes } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** Throws when two shapes do not broadcast; gives the names of the result's axes. */
export function broadcastNames(op: string, a: AnyTensor, b: AnyTensor): AxisNames | undefined {
  const left = namesOf(a);
  const right = namesOf(b);
  if (left === undefined && right === undefined) {
    if (a.shape !== b.shape) checkSizes(op, a, b);
    return undefined;
  }
  checkSizes(op, a, b, left, right);
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, i) => {
    const inA = left?.[a.shape.length - rank + i];
    const inB = right?.[b.shape.length - rank + i];
    return a.shape[a.shape.length - rank + i] === 1 ? (inB ?? inA) : (inA ?? inB);
  });
}

function checkSizes(op: string, a: AnyTensor, b: AnyTensor, left?: AxisNames, right?: AxisNames): void {
  const [s, t] = [a.shape, b.shape];
  for (let i = s.length - 1, j = t.length - 1; i >= 0 && j >= 0; i--, j--) {
    if (s[i] === 1 || t[j] === 1) continue;
    const clash = left?.[i] !== undefined && right?.[j] !== undefined && left[i] !== right[j];
    if (s[i] !== t[j] || clash) {
      const [one, other] = [dimText(s[i]!, left?.[i]), dimText(t[j]!, right?.[j])];
      throw new ShapeError(`${op}: ${shapeText(a)} and ${shapeText(b)} do not broadcast: ${one} is not ${other}`);
    }
  }
}

/** The shape that shapes broadcast to, known to fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const one = a[a.length - rank + i] ?? 1;
    return one === 1 ? (b[b.length - rank + i] ?? 1) : one;
  });
}

/** Sums a tensor over the axes along which `shape` was broadcast to it. */
export function sumTo(x: AnyTensor, shape: readonly number[]): AnyTensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axis = x.shape.flatMap((size, i) => (i < added || (shape[i - added] === 1 && size !== 1) ? [i] : []));
  return scoped("sumTo", () => reshapeTo(axis.length === 0 ? x : reduceOver("Sum", x, axis), shape));
}

/** Repeats a tensor to a larger shape that it broadcasts to. tfjs' own has no gradient past four axes. */
export function expandTo(x: AnyTensor, shape: readonly number[]): AnyTensor {
  if (sameShape(x.shape, shape)) return x;
  const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  if (sameShape(padded, shape)) return reshapeTo(x, shape);
  const from = x.shape;
  const reps = shape.map((size, i) => (padded[i] === size ? 1 : size));
  return differentiable("broadcastTo", [x], {
    forward: () => run("Tile", { x: reshapeTo(x, padded) }, { reps }),
    backward: (dy) => [() => sumTo(dy, from)],
  });
}

/**
 * Repeats a tensor along new axes and axes of size 1 to a shape, `[...shape]` (`numpy.broadcast_to`).
 *
 * @throws ShapeError when the tensor does not broadcast to the shape
 */
export function broadcastTo<T extends TensorOperand, const S extends readonly number[]>(
  x: T,
  shape: S,
): Tensor<ShapeOfSizes<S>, DTypeOf<T>>;
export function broadcastTo(x: AnyTensor, shape: readonly number[]): AnyTensor {
  const fits =
    shape.length >= x.shape.length &&
    x.shape.every((size, i) => size === 1 || size === shape[shape.length - x.shape.length + i]);
  if (!fits) throw new ShapeError(`broadcastTo: ${shapeText(x)} does not broadcast to ${sizesText(shape)}`);
  const names = namesOf(x);
  return label(expandTo(x, shape), names && [...Array<undefined>(shape.length - names.length), ...names]);
}
