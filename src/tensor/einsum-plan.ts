// Plans an einsum as native ops: sums, transposes, reshapes and batched matrix products, as few as possible.
import { sizeOf } from "../base/shape.ts";

/** Where an operation takes its operand: the operands first, then the results of the steps in order. */
type Register = number;

export type Step =
  | { op: "sum"; x: Register; axis: number[] }
  | { op: "transpose"; x: Register; perm: number[] }
  | { op: "reshape"; x: Register; shape: number[] }
  | { op: "diagonal"; x: Register; size: number }
  | { op: "multiply"; a: Register; b: Register }
  | { op: "matmul"; a: Register; b: Register; transposeA: boolean; transposeB: boolean };

interface Value {
  register: Register;
  axes: readonly string[];
}

export interface Problem {
  operands: readonly (readonly string[])[];
  output: readonly string[];
  sizes: ReadonlyMap<string, number>;
  /** The operands' shapes: an axis may be 1 where the others broadcast it. */
  shapes: readonly (readonly number[])[];
}

export function planEinsum({ operands, output, sizes, shapes }: Problem): Step[] {
  const steps: Step[] = [];
  const size = (axis: string) => sizes.get(axis)!;
  const shapeOf = (axes: readonly string[]) => axes.map(size);
  const emit = (step: Step, axes: readonly string[]): Value => {
    steps.push(step);
    return { register: operands.length + steps.length - 1, axes };
  };

  /** Axes broadcast from one element are dropped, repeated ones reduced to their diagonal. */
  const open = (axes: readonly string[], register: number): Value => {
    const shape = shapes[register]!;
    const kept = axes.filter((axis, i) => shape[i] === size(axis));
    let value: Value = { register, axes };
    if (kept.length < axes.length) value = emit({ op: "reshape", x: register, shape: shapeOf(kept) }, kept);
    for (let twice = repeated(value.axes); twice !== undefined; twice = repeated(value.axes)) {
      const axis = twice;
      const rest = value.axes.filter((other) => other !== axis);
      const places = value.axes.flatMap((other, i) => (other === axis ? [i] : []));
      const front = [...rest, axis, ...places.slice(1).map(() => axis)];
      const perm = [...value.axes.flatMap((other, i) => (other === axis ? [] : [i])), ...places];
      value = transposed(value, perm, front);
      value = emit(
        { op: "reshape", x: value.register, shape: [sizeOf(shapeOf(front.slice(0, -2))), size(axis) ** 2] },
        [],
      );
      value = emit({ op: "diagonal", x: value.register, size: size(axis) }, []);
      const left = [...rest, ...places.slice(1).map(() => axis)];
      value = emit({ op: "reshape", x: value.register, shape: shapeOf(left) }, left);
    }
    return value;
  };

  const transposed = (value: Value, perm: number[], axes: readonly string[]): Value =>
    perm.every((from, to) => from === to) ? value : emit({ op: "transpose", x: value.register, perm }, axes);
  const arranged = (value: Value, axes: readonly string[]): Value =>
    transposed(
      value,
      axes.map((axis) => value.axes.indexOf(axis)),
      axes,
    );
  const reshaped = (value: Value, groups: readonly (readonly string[])[]): Value => {
    const shape = groups.map((group) => sizeOf(shapeOf(group)));
    if (groups.length === value.axes.length && groups.every((group) => group.length === 1)) return value;
    return emit({ op: "reshape", x: value.register, shape }, value.axes);
  };
  const summed = (value: Value, keep: ReadonlySet<string>): Value => {
    const axis = value.axes.flatMap((name, i) => (keep.has(name) ? [] : [i]));
    if (axis.length === 0) return value;
    return emit(
      { op: "sum", x: value.register, axis },
      value.axes.filter((name) => keep.has(name)),
    );
  };

  /** Both on the same axes, one element long where it has none, and multiplied. */
  const multiplied = (a: Value, b: Value, wanted: readonly string[]): Value => {
    const axes = wanted.filter((axis) => a.axes.includes(axis) || b.axes.includes(axis));
    const [x, y] = [a, b].map((value) => {
      const own = arranged(
        value,
        axes.filter((axis) => value.axes.includes(axis)),
      );
      const lead = own.axes.length > 0 ? axes.indexOf(own.axes[0]!) : axes.length;
      const dense = axes.slice(lead).every((axis) => own.axes.includes(axis));
      if (dense) return own;
      const shape = axes.map((axis) => (own.axes.includes(axis) ? size(axis) : 1));
      return emit({ op: "reshape", x: own.register, shape }, own.axes);
    });
    return emit({ op: "multiply", a: x!.register, b: y!.register }, axes);
  };

  const contracted = (a: Value, b: Value, shared: string[], batch: string[], wanted: readonly string[]): Value => {
    const freeA = a.axes.filter((axis) => !shared.includes(axis) && !batch.includes(axis));
    const freeB = b.axes.filter((axis) => !shared.includes(axis) && !batch.includes(axis));
    const orders = (names: string[]) => [names, b.axes.filter((axis) => names.includes(axis))];
    const layouts = orders(batch).flatMap((outer) =>
      orders(shared).map((inner) => {
        const left = layout(a.axes, outer, freeA, inner);
        const right = layout(b.axes, outer, freeB, inner);
        return { outer, inner, left, right, moves: Number(left === "moved") + Number(right === "moved") };
      }),
    );
    const best = layouts.reduce((one, other) => (other.moves < one.moves ? other : one));
    const { outer, inner } = best;
    const side = (value: Value, free: string[], how: Layout, isLeft: boolean) => {
      const inner2 = isLeft ? [free, inner] : [inner, free];
      const flipped = how === (isLeft ? "inner first" : "free first");
      const groups = how === "moved" ? inner2 : flipped ? [inner2[1]!, inner2[0]!] : inner2;
      const placed = how === "moved" ? arranged(value, [...outer, ...groups.flat()]) : value;
      return { value: reshaped(placed, [...outer.map((axis) => [axis]), ...groups]), flipped };
    };
    const left = side(a, freeA, best.left, true);
    const right = side(b, freeB, best.right, false);
    // The other way round where that is the order wanted.
    const swap = freeA.length > 0 && freeB.length > 0 && wanted.indexOf(freeB[0]!) < wanted.indexOf(freeA[0]!);
    const axes = swap ? [...outer, ...freeB, ...freeA] : [...outer, ...freeA, ...freeB];
    const product: Step = swap
      ? {
          op: "matmul",
          a: right.value.register,
          b: left.value.register,
          transposeA: !right.flipped,
          transposeB: !left.flipped,
        }
      : {
          op: "matmul",
          a: left.value.register,
          b: right.value.register,
          transposeA: left.flipped,
          transposeB: right.flipped,
        };
    const result = emit(product, axes);
    return freeA.length === 1 && freeB.length === 1
      ? result
      : emit({ op: "reshape", x: result.register, shape: shapeOf(axes) }, axes);
  };

  const pair = (a: Value, b: Value, keep: ReadonlySet<string>, wanted: readonly string[]): Value => {
    const left = summed(a, new Set([...keep, ...b.axes]));
    const right = summed(b, new Set([...keep, ...a.axes]));
    const both = left.axes.filter((axis) => right.axes.includes(axis));
    const shared = both.filter((axis) => !keep.has(axis));
    const batch = both.filter((axis) => keep.has(axis));
    if (shared.length === 0) return multiplied(left, right, wanted);
    return contracted(left, right, shared, batch, wanted);
  };

  let values = operands.map(open);
  while (values.length > 1) {
    const [i, j] = values.length === 2 ? [0, 1] : cheapest(values, output, size);
    const rest = values.filter((_, k) => k !== i && k !== j);
    const keep = new Set([...output, ...rest.flatMap((value) => value.axes)]);
    const all = new Set([...values[i]!.axes, ...values[j]!.axes]);
    const wanted = [
      ...output.filter((axis) => all.has(axis)),
      ...[...all].filter((axis) => keep.has(axis) && !output.includes(axis)),
    ];
    values = [pair(values[i]!, values[j]!, keep, wanted), ...rest];
  }
  const last = summed(values[0]!, new Set(output));
  const own = output.filter((axis) => last.axes.includes(axis));
  arranged(last, own);
  return steps;
}

type Layout = "free first" | "inner first" | "moved";

/** Which of [outer, free, inner] and [outer, inner, free] an operand already is. */
function layout(axes: readonly string[], outer: string[], free: string[], inner: string[]): Layout {
  const is = (order: string[]) => order.every((axis, i) => axis === axes[i]);
  if (is([...outer, ...free, ...inner])) return "free first";
  return is([...outer, ...inner, ...free]) ? "inner first" : "moved";
}

const repeated = (axes: readonly string[]): string | undefined =>
  axes.find((axis, i) => axes.indexOf(axis, i + 1) >= 0);

/** The two values whose product costs least, then is smallest. */
function cheapest(
  values: readonly Value[],
  output: readonly string[],
  size: (axis: string) => number,
): [number, number] {
  let best: [number, number] = [0, 1];
  let least = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++)
    for (let j = i + 1; j < values.length; j++) {
      const all = new Set([...values[i]!.axes, ...values[j]!.axes]);
      const rest = new Set([...output, ...values.flatMap((value, k) => (k === i || k === j ? [] : value.axes))]);
      const work = sizeOf([...all].map(size));
      const result = sizeOf([...all].filter((axis) => rest.has(axis)).map(size));
      if (work < least[0]! || (work === least[0] && result < least[1]!)) {
        least = [work, result];
        best = [i, j];
      }
    }
  return best;
}
