import { checkPositiveInteger } from "../../base/checks.ts";
import { sizeOf } from "../../base/shape.ts";
import { permuteTo, reshapeTo, run } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import { layerNorm } from "../../tensor/normalize.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { parameter } from "../initialisers.ts";
import type { NormOptions, NormParameters } from "./normalization.ts";
import type { Features } from "./shape-rule.ts";
import { checkLastAxis, requireOptions, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of `groupNorm`. */
export interface GroupNormOptions<F extends number = number> extends NormOptions<F> {
  /** The number of groups of features; it divides `features`. */
  groups: number;
}

/** A group norm: `[batch, ..., features]`. */
export type GroupNorm<F extends number> = TensorLayer<NormParameters<F>, Features<"groupNorm", F, F>>;

/**
 * A group norm, `groupNorm({ features: 16, groups: 4 })`: of each example of `[batch, ..., features]`, mean 0 and variance 1 over
 * all positions and the features of a group, then times `scale` plus `offset`, both `[features]` (Wu and He 2018;
 * `torch.nn.GroupNorm`).
 *
 * @throws RangeError for a size that is not a positive integer, or groups that do not divide the features; ShapeError, from `apply`,
 *   for another number of features
 */
export function groupNorm<const F extends number>(options: GroupNormOptions<F>): GroupNorm<F>;
export function groupNorm(options: GroupNormOptions): unknown {
  requireOptions("groupNorm", options);
  const { features, groups, epsilon } = options;
  checkPositiveInteger("groupNorm: features", features);
  checkPositiveInteger("groupNorm: groups", groups);
  if (features % groups !== 0)
    throw new RangeError(`groupNorm: ${groups} groups must divide the features, got ${features}`);
  const parameters: NormParameters = {
    scale: parameter("groupNorm: scale", 1, [features]),
    offset: parameter("groupNorm: offset", 0, [features]),
  };
  return tensorLayer({
    name: "groupNorm",
    settings: { features, groups, ...(epsilon !== undefined && { epsilon }) },
    parameters,
    apply: (p, x) => {
      checkLastAxis("groupNorm", x, features);
      if (x.rank < 2) throw new ShapeError(`groupNorm: expected [batch, ..., ${features}], got ${shapeText(x)}`);
      const [batch, size] = [x.shape[0]!, features / groups];
      const positions = sizeOf(x.shape.slice(1, -1));
      const byGroup = permuteTo(reshapeTo(x, [batch, positions, groups, size]), [0, 2, 1, 3]);
      const normal = layerNorm(reshapeTo(byGroup, [batch, groups, positions * size]), undefined, undefined, epsilon);
      const apart = reshapeTo(normal as AnyTensor, [batch, groups, positions, size]);
      const back = reshapeTo(permuteTo(apart, [0, 2, 1, 3]), x.shape);
      const scaled = run("Multiply", { a: back, b: p.scale });
      return label(run("Add", { a: scaled, b: p.offset }), namesOf(x));
    },
  });
}
