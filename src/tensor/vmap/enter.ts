// How a tensor enters a level of vmap and leaves it. Both are ops with gradients, each the gradient of the other.
import { type Level, levelsOf, seenAs } from "../../runtime/levels.ts";
import { differentiable, reduceOver, run, scoped } from "../engine.ts";
import type { AnyTensor } from "../types/tensor.ts";

const entered = new WeakSet<AnyTensor>();

/** Did `enter` make this tensor? Its gradient leaves the level by itself. */
export const isEntered = (x: AnyTensor): boolean => entered.has(x);

/** A tensor whose first axis counts the examples, as one of the level. */
export function enter(x: AnyTensor, level: Level): AnyTensor {
  const inner = levelsOf(x).at(-1);
  if (inner && inner.id > level.id) return enterBelow(x, level, inner);
  const inside = differentiable("vmap", [x], {
    forward: () => seenAs(x, x.shape.slice(1), [...levelsOf(x), level]),
    backward: (dy) => [() => leave(dy, level)],
  });
  entered.add(inside);
  return inside;
}

/** Data has the axis of an outer level before that of an inner one. */
function enterBelow(x: AnyTensor, level: Level, inner: Level): AnyTensor {
  const all = leave(x, inner);
  const swapped = run("Transpose", { x: all }, { perm: [1, 0, ...all.shape.keys()].toSpliced(2, 2) });
  return enter(enter(swapped, level), inner);
}

/** The examples of a level along a new first axis; a tensor that is the same for all of them is repeated. */
export function leave(x: AnyTensor, level: Level): AnyTensor {
  const levels = levelsOf(x);
  if (!levels.includes(level)) return repeated(x, level.size);
  const inner = levels.at(-1)!;
  if (inner !== level) {
    const all = leave(leave(x, inner), level);
    return enter(run("Transpose", { x: all }, { perm: [1, 0, ...all.shape.keys()].toSpliced(2, 2) }), inner);
  }
  return differentiable("vmap", [x], {
    forward: () => seenAs(x, [level.size, ...x.shape], levels.slice(0, -1)),
    backward: (dy) => [() => enter(dy, level)],
  });
}

const repeated = (x: AnyTensor, size: number): AnyTensor =>
  differentiable("vmap", [x], {
    forward: () => {
      const reps = [size, ...x.shape.map(() => 1)];
      return run("Tile", { x: run("Reshape", { x }, { shape: [1, ...x.shape] }) }, { reps });
    },
    backward: (dy) => [() => reduceOver("Sum", dy, [0])],
  });

/** The sum over the examples of a level. */
export const sumOverLevel = (x: AnyTensor, level: Level): AnyTensor =>
  scoped("vmap", () => reduceOver("Sum", leave(x, level), [0]));
