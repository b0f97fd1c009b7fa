// Vectorization of functions.
import { type Level, levelsOf, openLevels, type Randomness, within } from "../../runtime/levels.ts";
import { checkTensor, permuteTo, scoped } from "../engine.ts";
import { ShapeError } from "../errors.ts";
import { label, namesOf, shapeText } from "../names.ts";
import { leaves } from "../tree.ts";
import type { Dim } from "../types/shape.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { enter, leave } from "../vmap/enter.ts";
import { openLevel } from "../vmap/intercept.ts";
import { type Axes, mapAxes } from "./axes.ts";
import type { MappedArguments, WithMapped } from "./types.ts";

/** Options of `vmap`. */
export interface VmapOptions<I extends Axes = Axes, O extends Axes = Axes> {
  /**
   * The mapped axis of the arguments: a number for all of them (0 by default), or a list with a number, null (not mapped) or a
   * tree of them for each argument.
   */
  inAxes?: I;
  /** The place of the mapped axis in the results, 0 by default: a number, or a tree of them. */
  outAxes?: O;
  /**
   * Whether random ops give each example its own numbers ("different", the default), all examples the same ones ("same"), or
   * throw ("error").
   */
  randomness?: Randomness;
}

/**
 * A function that runs `f`, which is written for one example, on all examples along an axis of its arguments, as one batch
 * (JAX's `vmap`, `torch.func.vmap`). Inside, a mapped tensor `[batch, ...]` has the shape `[...]`; each result `[...]` comes back
 * as `[batch, ...]`. Arguments and results are trees of tensors. It nests, also with `grad`. A tensor cannot be read inside, and an
 * op whose result has a shape that depends on values is refused.
 *
 * @throws ShapeError when the mapped axes have different sizes or size 0, or a tensor lacks its axis; TypeError when no argument
 *   is mapped, or `f` gives no tensor; Error, with the op's name, for an op that cannot be batched
 */
export function vmap<A extends unknown[], R, const I extends Axes = 0, const O extends Axes = 0>(
  f: (...args: A) => R,
  options?: VmapOptions<I, O>,
): <B extends Dim>(...args: MappedArguments<A, I, B>) => WithMapped<R, O, B>;
export function vmap(f: (...args: unknown[]) => unknown, options: VmapOptions = {}): (...args: unknown[]) => unknown {
  return vmapAs("vmap", f, options);
}

/** `vmap` for the function `op`, which its errors name. */
export function vmapAs(
  op: string,
  f: (...args: unknown[]) => unknown,
  { inAxes = 0, outAxes = 0, randomness = "different" }: VmapOptions,
): (...args: unknown[]) => unknown {
  return (...args) => {
    checkAxes(op, args, inAxes);
    const { size, name } = mappedSize(op, args, inAxes);
    const level = openLevel(size, randomness);
    return scoped(op, (() => {
      const inside = mapAxes("inAxes", args, inAxes, "", (x, axis) => (axis === null ? x : intoLevel(x, axis, level)));
      const result = within([level], () => f(...(inside as unknown[])));
      checkResult(op, result);
      return mapAxes("outAxes", result, outAxes, "", (x, axis, path) => outOfLevel(x, axis, level, name, path));
    }) as never) as unknown;
  };
}

function checkAxes(op: string, args: readonly unknown[], inAxes: Axes): void {
  if (Array.isArray(inAxes) && inAxes.length !== args.length)
    throw new TypeError(`${op}: inAxes has ${inAxes.length} entries for ${args.length} arguments`);
}

interface Mapped {
  size: number;
  /** The name of the mapped axis, where all tensors that have one agree. */
  name: string | undefined;
}

function mappedSize(op: string, args: readonly unknown[], inAxes: Axes): Mapped {
  const found: { size: number; name: string | undefined; text: string }[] = [];
  mapAxes("inAxes", args, inAxes, "", (x, axis, path) => {
    checkTensor(`${op} (argument ${path})`, x);
    if (axis === null) return x;
    const at = axis < 0 ? axis + x.rank : axis;
    if (at < 0 || at >= x.rank)
      throw new ShapeError(
        `${op}: argument ${path} with the shape ${shapeText(x)} has no axis ${axis}; map another axis, or none (inAxes null)`,
      );
    const text = `${x.shape[at]} in argument ${path} (axis ${at} of ${shapeText(x)})`;
    found.push({ size: x.shape[at]!, name: namesOf(x)?.[at], text });
    return x;
  });
  const [first] = found;
  if (!first) throw new TypeError(`${op}: no argument is mapped; inAxes must give an axis of at least one tensor`);
  const other = found.find(({ size }) => size !== first.size);
  if (other) throw new ShapeError(`${op}: the mapped axes have different sizes: ${first.text}, ${other.text}`);
  if (first.size === 0) throw new ShapeError(`${op}: the mapped axis has size ${first.text}; it needs an example`);
  const names = new Set(found.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return { size: first.size, name: names.size === 1 ? [...names][0] : undefined };
}

function intoLevel(x: AnyTensor, axis: number, level: Level): AnyTensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const front = permuteTo(x, [at, ...[...x.shape.keys()].filter((i) => i !== at)]);
  return label(enter(front, level), namesOf(x)?.toSpliced(at, 1));
}

function outOfLevel(
  x: AnyTensor,
  axis: number | null,
  level: Level,
  name: string | undefined,
  path: string,
): AnyTensor {
  const place = path === "" ? "the result" : `the result ${path}`;
  if (levelsOf(x).some((each) => each !== level && !openLevels().includes(each)))
    throw new Error(`vmap: ${place} is a tensor from inside of a vmapped function that has returned`);
  if (axis === null) {
    if (levelsOf(x).includes(level))
      throw new TypeError(`vmap: outAxes is null for ${place}, which differs between the examples; give it an axis`);
    return x.clone();
  }
  const rank = x.rank + 1;
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank)
    throw new ShapeError(`vmap: ${place} with the shape ${shapeText(x)} has no place ${axis} for the mapped axis`);
  const names = namesOf(x);
  const all = leave(x, level);
  const axes = [...Array(x.rank).keys()].map((i) => i + 1).toSpliced(at, 0, 0);
  if (!names && name === undefined) return permuteTo(all, axes);
  return label(permuteTo(all, axes), [...(names ?? x.shape.map(() => undefined))].toSpliced(at, 0, name));
}

function checkResult(op: string, result: unknown): void {
  if (result instanceof Promise) throw new TypeError(`${op}: the function returned a promise; it must be synchronous`);
  if (leaves(result).length === 0)
    throw new TypeError(`${op}: the function must return tensors, got ${result === null ? "null" : typeof result}`);
}
