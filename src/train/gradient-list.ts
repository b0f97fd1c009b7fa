import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { listNames } from "../base/list-names.ts";
import { sameShape } from "../tensor/engine.ts";
import { leaves } from "../tensor/index.ts";

/**
 * The gradients of an optimizer's variables in their order, and all tensors that were given: from a list of gradients in the order
 * of the variables, or a tree of the parameters' structure, whose leaves for variables that are not trainable are left out.
 *
 * @throws RangeError when there are more or fewer gradients than parameters, or one has another shape; TypeError for a loss and its
 *   gradients
 */
export function gradientList(
  given: readonly Tensor[] | object,
  variables: readonly Variable[],
  names: readonly string[],
  paths: ReadonlyMap<string, Variable>,
): { gradients: readonly Tensor[]; all: Tensor[] } {
  const all = Array.isArray(given) && given.every(isTensor) ? (given as Tensor[]) : undefined;
  const found = all?.length === variables.length ? all : byPath(given, names, paths);
  variables.forEach((variable, i) => {
    const gradient = found[i]!;
    if (!sameShape(gradient.shape, variable.shape))
      throw new RangeError(
        `Gradient size mismatch: ${quoted(names[i]!)} is ${sizes(variable)}, its gradient ${sizes(gradient)}: these are gradients of other parameters than the optimizer's.`,
      );
  });
  return { gradients: found, all: all ?? leaves(given).map(({ tensor }) => tensor) };
}

const quoted = (name: string) => (name ? `\`${name}\`` : "the parameter");
const sizes = ({ shape }: { shape: readonly number[] }) => `[${shape.join(", ")}]`;

/** As the tree's `leaves` decides; a gradient is a tensor of any rank. */
const isTensor = (value: unknown): boolean => typeof value === "object" && value !== null && "dataId" in value;

function byPath(given: object, names: readonly string[], paths: ReadonlyMap<string, Variable>): Tensor[] {
  if ("gradients" in given && "value" in given && !paths.has("value"))
    throw new TypeError(
      "step takes the gradients alone: pass `.gradients` of what valueAndGrad or valueAndGradients gave.",
    );
  const gradients = new Map(leaves(given).map(({ path, tensor }) => [path, tensor]));
  const missing = names.filter((name) => !gradients.has(name));
  const unexpected = [...gradients.keys()].filter((path) => !paths.has(path));
  if (missing.length > 0 && unexpected.length > 0) {
    const [own, other] = [missing[0]!, unexpected[0]!];
    throw new RangeError(
      `These are gradients of other parameters than the optimizer's: there is none for ${quoted(own)} ${sizes(paths.get(own)!)}, but one for ${quoted(other)} ${sizes(gradients.get(other)!)}.`,
    );
  }
  if (missing.length > 0 || unexpected.length > 0)
    throw new RangeError(
      [
        `Gradient count mismatch: there are ${names.length} parameters and ${gradients.size} gradients`,
        missing.length > 0 ? `, none for ${listNames(missing)}` : "",
        unexpected.length > 0 ? `, and no parameter ${listNames(unexpected)}` : "",
        ".",
      ].join(""),
    );
  return names.map((name) => gradients.get(name)!);
}
