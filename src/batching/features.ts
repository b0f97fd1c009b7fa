import type { PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import type { Sequence } from "./sequences.ts";

/**
 * How many numbers a step of these sequences has; undefined when they are of tokens.
 *
 * @throws RangeError with the index of the first sequence whose features are of another width, or not finite
 */
export function featureWidth(sequences: readonly Sequence[]): number | undefined {
  const widths = sequences.map((sequence) =>
    "features" in sequence ? sequence.features.length / sequence.length : undefined,
  );
  const [width] = widths;
  sequences.forEach((sequence, i) => {
    if (widths[i] !== width) {
      throw new RangeError(
        `sequence ${i} has ${widths[i] ?? "no"} features a step and sequence 0 has ${width ?? "none"}`,
      );
    }
    if (width === undefined || !("features" in sequence)) return;
    if (!Number.isInteger(width) || width < 1) {
      throw new RangeError(
        `sequence ${i} has ${sequence.features.length} features for ${sequence.length} steps: each step needs as many`,
      );
    }
    for (let at = 0; at < sequence.features.length; at++) {
      if (!Number.isFinite(sequence.features[at])) {
        throw new RangeError(`sequence ${i} has ${sequence.features[at]} at step ${Math.floor(at / width)}`);
      }
    }
  });
  return width;
}

/** Gives a batch the features of its sequences, which lie as its ids do; `width` is undefined where there are none. */
export function withFeatures(
  batch: Batch,
  sequences: readonly Sequence[],
  width: number | undefined,
  { truncate }: PaddingOptions,
): Batch {
  if (width === undefined) return batch;
  const features = new Float32Array(batch.rows * batch.time * width);
  for (let row = 0, first = 0, last = 0; row < batch.rows; row++, first = last) {
    for (let cell = row * batch.time; cell < (row + 1) * batch.time; cell++) {
      if (!batch.mask[cell]) continue;
      const n = first + batch.segments[cell]! - 1;
      last = Math.max(last, n + 1);
      const sequence = sequences[batch.indices[n]!]!;
      if (!("features" in sequence)) continue;
      const lost = truncate === "start" ? sequence.length - batch.lengths[n]! : 0;
      const from = (lost + batch.positions[cell]!) * width;
      for (let at = 0; at < width; at++) features[cell * width + at] = sequence.features[from + at]!;
    }
  }
  return { ...batch, features };
}
