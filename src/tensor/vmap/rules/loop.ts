import { noRule } from "../../../runtime/levels.ts";
import { run } from "../../engine.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import type { Input, Rule } from "../call.ts";
import { exampleAt, joined } from "../examples.ts";

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
  const parts = results[0]!.map((_, part) =>
    joined(
      kernel,
      results.map((outputs) => outputs[part]!),
    ),
  );
  return parts.length === 1 ? parts[0]! : parts;
};

const example = ({ x, batched }: Input, i: number): AnyTensor => (batched ? exampleAt(x, i) : x);
