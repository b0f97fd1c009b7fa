import { tf } from "../runtime/index.ts";
import { differentiable, reshapeTo, run } from "./engine.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** The diagonals of matrices laid out as [matrices, size * size], as [matrices, size]. */
export function diagonalOf(x: AnyTensor, size: number): AnyTensor {
  const rows = x.shape[0]!;
  return differentiable("diagonal", [x], {
    forward: () => {
      if (x.size === 0) return reshapeTo(x, [rows, size]);
      const indices = tf.tensor1d(Int32Array.from({ length: size }, (_, i) => i * (size + 1)));
      return run("GatherV2", { x, indices }, { axis: 1, batchDims: 0 });
    },
    backward: (dy) => [
      () => {
        const spread = run("Multiply", { a: reshapeTo(dy, [rows, size, 1]), b: tf.eye(size) });
        return reshapeTo(spread, [rows, size * size]);
      },
    ],
  });
}
