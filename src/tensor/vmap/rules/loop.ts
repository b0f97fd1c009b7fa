import { noRule } from "../../../runtime/levels.ts";
import { run, sameShape } from "../../engine.ts";
import { ShapeError } from "../../errors.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import type { Call, Input, Rule } from "../call.ts";

/** Kernels whose results have a shape that depends on the values, or numbers from a generator that vmap does not know. */
const refused = new Set(
  (
    "Multinomial NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 SparseFillEmptyRows SparseReshape " +
    "StaticRegexReplace StringNGrams StringSplit StringToHashBucketFast Unique Where"
  ).split(" "),
);

/** Runs a kernel for each example and joins the results. Slow, and right for every kernel whose shapes do not depend on values. */
export const eachExample: Rule = (call) => {
  const { kernel, inputs, list, attributes, level } = call;
  if (refused.has(kernel)) throw new Error(noRule(kernel));
  const results = Array.from({ length: level.size }, (_, i) => {
    const given =
      list.length > 0
        ? (list.map((input) => example(input, i)) as unknown as Record<string, AnyTensor>)
        : Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, example(input, i)]));
    return [run(kernel, given, attributes)].flat() as AnyTensor[];
  });
  const joined = results[0]!.map((_, part) =>
    join(
      call,
      results.map((parts) => parts[part]!),
    ),
  );
  return joined.length === 1 ? joined[0]! : joined;
};

function example({ x, batched, shape }: Input, i: number): AnyTensor {
  if (!batched) return x;
  const sliced = run("Slice", { x }, { begin: [i, ...shape.map(() => 0)], size: [1, ...shape] });
  return run("Reshape", { x: sliced }, { shape: [...shape] });
}

function join({ kernel }: Call, parts: AnyTensor[]): AnyTensor {
  const odd = parts.find(({ shape }) => !sameShape(shape, parts[0]!.shape));
  if (odd)
    throw new ShapeError(
      `vmap: ${kernel} gives examples of different shapes, [${parts[0]!.shape.join(", ")}] and [${odd.shape.join(", ")}]`,
    );
  return run("Pack", parts as unknown as Record<string, AnyTensor>, { axis: 0 });
}
