// rearrange, reduce and repeat as in einops (Rogozhnikov, "Einops", ICLR 2022).
import { memoize } from "../base/memoize.ts";
import { expandTo } from "./broadcast.ts";
import { cast, checkTensor, permuteTo, reduceOver, reshapeTo, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { checkTotals } from "./int32.ts";
import { dimText, label, namesOf, shapeText } from "./names.ts";
import { type Item, isSize, nameList, type Pattern, parsePattern } from "./pattern.ts";
import type { Whole } from "./reductions.ts";
import type { AxisSizes, PatternFor, PatternOp, PatternShape } from "./types/rearrange.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * Permutes, splits and joins axes by a pattern, as einops (Rogozhnikov 2022): `rearrange(x, "b t (h d) -> b h t d", { h: 8 })`
 * of `[2, 5, 64]` gives `[2, 8, 5, 8]`. `sizes` has the sizes of axes that the shape does not determine.
 *
 * @throws ShapeError when the pattern is invalid or does not fit the shape
 */
export function rearrange<
  T extends TensorOperand,
  const P extends string,
  const S extends AxisSizes = Record<never, never>,
>(
  x: T,
  pattern: PatternFor<"rearrange", P, ShapeOf<T>, S>,
  sizes?: S,
): Tensor<PatternShape<"rearrange", P, ShapeOf<T>, S>, DTypeOf<T>>;
export function rearrange(x: AnyTensor, pattern: string, sizes: AxisSizes = {}): AnyTensor {
  return transform("rearrange", x, pattern, sizes);
}

/**
 * Repeats a tensor along new axes by a pattern, as einops (Rogozhnikov 2022): `repeat(x, "h w -> (h r) w", { r: 2 })` of
 * `[2, 3]` gives `[4, 3]`.
 *
 * @throws ShapeError when the pattern is invalid or does not fit the shape
 */
export function repeat<
  T extends TensorOperand,
  const P extends string,
  const S extends AxisSizes = Record<never, never>,
>(
  x: T,
  pattern: PatternFor<"repeat", P, ShapeOf<T>, S>,
  sizes?: S,
): Tensor<PatternShape<"repeat", P, ShapeOf<T>, S>, DTypeOf<T>>;
export function repeat(x: AnyTensor, pattern: string, sizes: AxisSizes = {}): AnyTensor {
  return transform("repeat", x, pattern, sizes);
}

/** How `reduce` combines the elements of an axis. */
export type Reduction = "sum" | "mean" | "max" | "min" | "prod" | "any" | "all";

/** What a reduction makes of a dtype. */
type ReducedDType<R extends Reduction, D extends DType> = R extends "mean"
  ? "float32"
  : R extends "any" | "all"
    ? "bool"
    : Whole<D>;

/**
 * Reduces the axes that the right-hand side leaves out, as einops (Rogozhnikov 2022): `reduce(x, "b (h 2) (w 2) c -> b h w c",
 * "max")` of `[1, 4, 4, 3]` gives `[1, 2, 2, 3]`. "mean" gives float32, "any" and "all" bool.
 *
 * @throws ShapeError when the pattern is invalid or does not fit the shape; TypeError for an unknown reduction; RangeError for an
 *   int32 sum or product outside int32
 */
export function reduce<
  T extends TensorOperand,
  const P extends string,
  R extends Reduction,
  const S extends AxisSizes = Record<never, never>,
>(
  x: T,
  pattern: PatternFor<"reduce", P, ShapeOf<T>, S>,
  reduction: R,
  sizes?: S,
): Tensor<PatternShape<"reduce", P, ShapeOf<T>, S>, ReducedDType<R, DTypeOf<T>>>;
export function reduce(x: AnyTensor, pattern: string, reduction: Reduction, sizes: AxisSizes = {}): AnyTensor {
  if (!(reduction in kernels))
    throw new TypeError(`reduce: the reduction must be one of ${Object.keys(kernels).join(", ")}, got ${reduction}`);
  return transform("reduce", x, pattern, sizes, reduction);
}

const kernels = { sum: "Sum", mean: "Mean", max: "Max", min: "Min", prod: "Prod", any: "Any", all: "All" } as const;

const parsed = memoize((key) => {
  const [op, pattern] = key.split("\n") as [PatternOp, string];
  const result = parsePattern(op, pattern);
  checkNames(op, pattern, result);
  return result;
});

function checkNames(op: PatternOp, text: string, { left, right }: Pattern): void {
  const fail = (why: string): never => {
    throw new ShapeError(`${op} \`${text}\`: ${why}`);
  };
  const [l, r] = [nameList(left), nameList(right)];
  const twice = (names: string[]) => names.find((name, i) => names.indexOf(name, i + 1) >= 0);
  const twiceLeft = twice(l);
  if (twiceLeft) fail(`axis ${twiceLeft} appears twice on the left-hand side`);
  const twiceRight = twice(r);
  if (twiceRight) fail(`axis ${twiceRight} appears twice on the right-hand side`);
  const lost = op === "reduce" ? undefined : l.find((name) => !r.includes(name));
  if (lost) fail(`axis ${lost} appears only on the left-hand side`);
  const made = op === "repeat" ? undefined : r.find((name) => !l.includes(name));
  if (made) fail(`axis ${made} appears only on the right-hand side`);
  const dots = (items: readonly Item[]) => items.flat().includes("...");
  if (dots(left) !== dots(right) && (op !== "reduce" || dots(right))) fail("`...` must appear on both sides");
  if (left.some((item) => typeof item !== "string" && item.includes("...")))
    fail("`...` cannot be inside parentheses on the left-hand side");
  const counted = (items: readonly Item[]) => items.flat().find((axis) => isSize(axis) && axis !== "1");
  const size = (op === "reduce" ? undefined : counted(left)) ?? (op === "repeat" ? undefined : counted(right));
  if (size) fail(`axis ${size} needs a name`);
}

/** One axis once every composite is taken apart. */
interface Axis {
  key: string;
  size: number;
  name?: string | undefined;
}

/** What is done to the tensors of one shape, one step after another. */
interface Moves {
  /** Every axis, composites taken apart. */
  apart: number[];
  /** The axes that are removed, and the sizes of the others. */
  gone: number[];
  kept: number[];
  perm: number[];
  /** With a place for each new axis, and with the new axes at their sizes; absent when there are none. */
  widened?: [places: number[], sizes: number[]];
  shape: number[];
  names: (string | undefined)[];
}

function transform(op: PatternOp, x: AnyTensor, text: string, sizes: AxisSizes, reduction?: Reduction): AnyTensor {
  checkTensor(op, x);
  const names = namesOf(x);
  let key = `${op}\n${text}\n${x.shape}\n${names ?? ""}`;
  for (const name in sizes) key += `\n${name} ${sizes[name]}`;
  const moves = planned(key, op, x, text, sizes);
  const { apart, gone, kept, perm, widened, shape } = moves;
  const result = scoped(op, () => {
    let value = reshapeTo(x, apart);
    if (reduction) value = reduceAxes(value, reduction, gone);
    else if (gone.length > 0) value = reshapeTo(value, kept);
    value = permuteTo(value, perm);
    if (widened) value = expandTo(reshapeTo(value, widened[0]), widened[1]);
    value = reshapeTo(value, shape);
    return value === x ? run("Identity", { x }) : value;
  });
  return label(result, names && moves.names);
}

const planned = memoize((_key, op: PatternOp, x: AnyTensor, text: string, sizes: AxisSizes) =>
  planMoves(op, x, text, sizes),
);

function planMoves(op: PatternOp, x: AnyTensor, text: string, sizes: AxisSizes): Moves {
  const pattern = parsed(`${op}\n${text}`);
  const fail = (why: string): never => {
    throw new ShapeError(`${op} \`${text}\`: ${why}`);
  };
  checkSizes(op, pattern, sizes, fail);
  const axes = takeApart(x, pattern, sizes, fail);
  const target = layOut(pattern, axes, sizes);
  const wanted = target.flat();
  const asked = new Set(wanted.map((axis) => axis.key));
  const kept = axes.filter((axis) => asked.has(axis.key));
  const here = kept.map((axis) => axis.key);
  const isOld = (axis: Axis) => here.includes(axis.key);
  const isNew = wanted.some((axis) => axis.size !== 1 && !isOld(axis));
  const product = (group: Axis[]) => group.reduce((all, axis) => all * axis.size, 1);
  return {
    apart: axes.map((axis) => axis.size),
    gone: axes.flatMap((axis, i) => (asked.has(axis.key) ? [] : [i])),
    kept: kept.map((axis) => axis.size),
    perm: wanted.filter(isOld).map((axis) => here.indexOf(axis.key)),
    ...(isNew && {
      widened: [wanted.map((axis) => (isOld(axis) ? axis.size : 1)), wanted.map((axis) => axis.size)],
    }),
    shape: target.map(product),
    names: target.map((group) => (group.length === 1 ? group[0]!.name : undefined)),
  };
}

function checkSizes(op: PatternOp, { left, right }: Pattern, sizes: AxisSizes, fail: (why: string) => never): void {
  const [l, r] = [nameList(left), nameList(right)];
  if (op === "repeat")
    for (const name of r) if (!l.includes(name) && !(name in sizes)) fail(`axis ${name} is new and needs a size`);
  for (const [name, size] of Object.entries(sizes)) {
    if (!l.includes(name) && !r.includes(name)) fail(`axis ${name} has a size but is not in the pattern`);
    if (!Number.isInteger(size) || size < 0)
      fail(`the size of axis ${name} must be an integer of at least 0, got ${size}`);
  }
}

/** The axes of the tensor, composites split into their parts. */
function takeApart(x: AnyTensor, pattern: Pattern, sizes: AxisSizes, fail: (why: string) => never): Axis[] {
  const { left, leftText } = pattern;
  const names = namesOf(x);
  const dots = left.indexOf("...");
  const misfit = dots < 0 ? left.length !== x.shape.length : left.length - 1 > x.shape.length;
  if (misfit) fail(`\`${leftText}\` does not fit the shape ${shapeText(x)}`);
  const axes: Axis[] = [];
  let at = 0;
  for (const [i, item] of left.entries()) {
    const size = x.shape[at]!;
    if (item === "...") {
      const count = x.shape.length - left.length + 1;
      for (let j = 0; j < count; j++, at++) axes.push({ key: `...${j}`, size: x.shape[at]!, name: names?.[at] });
      continue;
    }
    const seen = dimText(size, names?.[at]);
    if (typeof item !== "string") axes.push(...splitGroup(item, size, seen, sizes, `${i}`, fail));
    else {
      const asked = isSize(item) ? Number(item) : sizes[item];
      if (asked !== undefined && asked !== size) fail(`axis ${item} is both ${asked} and ${seen}`);
      axes.push({ key: isSize(item) ? `${i}#` : item, size, name: names?.[at] });
    }
    at++;
  }
  return axes;
}

function splitGroup(
  group: readonly string[],
  size: number,
  seen: string,
  sizes: AxisSizes,
  place: string,
  fail: (why: string) => never,
): Axis[] {
  const text = `(${group.join(" ")})`;
  const sizeOfPart = (part: string) => (isSize(part) ? Number(part) : sizes[part]);
  const open = group.filter((part) => sizeOfPart(part) === undefined);
  if (open.length > 1) fail(`axis ${text} needs the sizes of all but one of its parts`);
  const product = group.reduce((all, part) => all * (sizeOfPart(part) ?? 1), 1);
  if (open.length === 0 && product !== size) fail(`axis ${text} is both ${product} and ${seen}`);
  if (open.length === 1 && (product === 0 ? size !== 0 : size % product !== 0))
    fail(`axis ${text} is ${seen}, which is not divisible by ${product}`);
  return group.map((part, i) => ({
    key: isSize(part) ? `${place}#${i}` : part,
    size: sizeOfPart(part) ?? (product === 0 ? 0 : size / product),
  }));
}

/** The axes of the result, each a list of parts. */
function layOut({ right }: Pattern, axes: readonly Axis[], sizes: AxisSizes): Axis[][] {
  const byKey = new Map(axes.map((axis) => [axis.key, axis]));
  const dots = axes.filter((axis) => axis.key.startsWith("..."));
  let made = 0;
  const part = (axis: string): Axis[] => {
    if (axis === "...") return dots;
    if (isSize(axis)) return [{ key: `new${made++}`, size: Number(axis) }];
    return [byKey.get(axis) ?? { key: axis, size: sizes[axis]! }];
  };
  return right.flatMap((item) =>
    item === "..." ? dots.map((axis) => [axis]) : [typeof item === "string" ? part(item) : item.flatMap(part)],
  );
}

function reduceAxes(x: AnyTensor, reduction: Reduction, axis: number[]): AnyTensor {
  const logical = reduction === "any" || reduction === "all";
  if (reduction === "sum" || reduction === "prod") checkTotals("reduce", x, axis, { kind: reduction });
  if (logical !== (x.dtype === "bool")) x = cast(x, logical ? "bool" : "int32");
  if (reduction === "mean") x = cast(x, "float32");
  return axis.length === 0 ? x : reduceOver(kernels[reduction], x, axis);
}
