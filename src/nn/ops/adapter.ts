// Low-rank changes of the weights of linear maps (Hu et al. 2022).
import { mul } from "../../tensor/arithmetic.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import type { Dropout } from "../../tensor/dropout-mask.ts";
import { concat } from "../../tensor/join.ts";
import { pad } from "../../tensor/layout.ts";
import { batchMatmul } from "../../tensor/matmul.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { addWithDropout } from "./add-with-dropout.ts";

/** The change of some columns of a weight: `scale * a @ b`. */
export interface LowRankPart {
  /** `[in, rank]` */
  a: AnyTensor;
  /** `[rank, columns]` */
  b: AnyTensor;
  scale: number;
  /** The first column. */
  start: number;
}

/** What a linear map adds to its weight. */
export interface Adapter {
  /** `[in, out]` */
  weight: AnyTensor;
  parts: readonly LowRankPart[];
  /** The dropout of the change's input, drawn once for each use. */
  dropout: () => Dropout | undefined;
  /** Whether a linear map has read it. */
  isUsed: boolean;
}

const adapters = new WeakMap<AnyTensor, Adapter>();

/**
 * A stand-in for a weight in a tree of parameters. It is the weight for every op, except that a linear map adds the change. It
 * has the variable for its prototype, so that it costs nothing and sees what is assigned to it.
 */
export function adaptedWeight(adapter: Adapter): AnyTensor {
  const weight = Object.create(adapter.weight) as AnyTensor;
  adapters.set(weight, adapter);
  return weight;
}

/** The change of a weight, where it is a stand-in. */
export const adapterOf = (weight: AnyTensor): Adapter | undefined => adapters.get(weight);

/**
 * `base(weight)` and the change of it: `x: [..., in]` gives `[..., out]`. The changed weight is not formed: `x @ a @ b` takes few
 * operations, and only `x` and `[..., rank]` are kept for the gradient.
 */
export function withAdapter(
  x: AnyTensor,
  adapter: Adapter,
  linear: (x: AnyTensor, weight: AnyTensor) => AnyTensor,
  base: (weight: AnyTensor) => AnyTensor,
): AnyTensor {
  adapter.isUsed = true;
  const { a, b } = sideBySide(adapter);
  const change = linear(linear(seededDropout(x, adapter.dropout()), a), b);
  return addWithDropout(base(adapter.weight), change, undefined);
}

/** The whole change of a weight, `[in, out]`. */
export function changeOf(adapter: Pick<Adapter, "weight" | "parts">): AnyTensor {
  const { a, b } = sideBySide(adapter);
  return batchMatmul(a, b, false, false);
}

/** The parts as one product: their `a` side by side, and their scaled `b` in rows of their own, 0 outside of their columns. */
function sideBySide({ weight, parts }: Pick<Adapter, "weight" | "parts">): { a: AnyTensor; b: AnyTensor } {
  const out = weight.shape[1]!;
  const rows = parts.map(({ b, scale, start }) => {
    const scaled = mul(b, scale) as AnyTensor;
    const after = out - start - b.shape[1]!;
    return start === 0 && after === 0
      ? scaled
      : (pad(scaled, [
          [0, 0],
          [start, after],
        ]) as AnyTensor);
  });
  if (parts.length === 1) return { a: parts[0]!.a, b: rows[0]! };
  return {
    a: concat(
      parts.map(({ a }) => a),
      1,
    ) as AnyTensor,
    b: concat(rows, 0) as AnyTensor,
  };
}
