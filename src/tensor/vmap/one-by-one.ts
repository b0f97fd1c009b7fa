import { type Level, levelsOf, levelsOfAll } from "../../runtime/levels.ts";
import { scoped } from "../engine.ts";
import { noGrad } from "../tape.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { enter, leave } from "./enter.ts";
import { exampleAt, joined } from "./examples.ts";

/**
 * Runs an op without a gradient that computes in JavaScript, from the values of its tensors: inside of a vmap once for each
 * example. `more` are levels at which the results differ although the tensors do not, because the op draws random numbers.
 */
export function oneByOne<T extends AnyTensor[]>(
  op: string,
  tensors: T,
  f: (...tensors: T) => AnyTensor,
  more: readonly Level[] = [],
): AnyTensor {
  if (more.length === 0 && levelsOfAll(tensors).length === 0) return f(...tensors);
  return noGrad(() => scoped(op, () => overLevels(op, tensors, f, more)));
}

function overLevels<T extends AnyTensor[]>(
  op: string,
  tensors: T,
  f: (...tensors: T) => AnyTensor,
  more: readonly Level[],
): AnyTensor {
  const levels = [...levelsOfAll(tensors), ...more];
  if (levels.length === 0) return f(...tensors);
  const level = levels.reduce((a, b) => (a.id > b.id ? a : b));
  const all = tensors.map((x) => (levelsOf(x).includes(level) ? leave(x, level) : undefined));
  const outer = more.filter((each) => each !== level);
  const results = Array.from({ length: level.size }, (_, i) => {
    const examples = tensors.map((x, at) => (all[at] ? exampleAt(all[at], i) : x)) as T;
    return overLevels(op, examples, f, outer);
  });
  return enter(joined(op, results), level);
}
