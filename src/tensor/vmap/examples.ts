// Taking a batch apart into its examples, and joining their results.
import { run, sameShape } from "../engine.ts";
import { ShapeError } from "../errors.ts";
import type { AnyTensor } from "../types/tensor.ts";

/** Example `i` of a tensor whose first axis are the examples. */
export function exampleAt(x: AnyTensor, i: number): AnyTensor {
  const shape = x.shape.slice(1);
  const sliced = run("Slice", { x }, { begin: [i, ...shape.map(() => 0)], size: [1, ...shape] });
  return run("Reshape", { x: sliced }, { shape });
}

/** The results of an op for each example as one tensor, whose first axis are the examples. Throws ShapeError if their shapes differ. */
export function joined(op: string, results: readonly AnyTensor[]): AnyTensor {
  const [first] = results as [AnyTensor];
  const odd = results.find(({ shape }) => !sameShape(shape, first.shape));
  if (odd)
    throw new ShapeError(
      `vmap: ${op} gives examples of different shapes, [${first.shape.join(", ")}] and [${odd.shape.join(", ")}]`,
    );
  return run("Pack", results as unknown as Record<string, AnyTensor>, { axis: 0 });
}
