import type { RectanglePadding } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import { sequenceText } from "./lengths.ts";
import type { Sequence } from "./sequences.ts";

/**
 * The number of features at each time step; undefined for sequences of tokens.
 *
 * @throws RangeError with the index of the first sequence whose features have another width or are not finite
 */
export function featureWidth(sequences: readonly Sequence[], name?: string): number | undefined {
  const widths = sequences.map((sequence) =>
    "features" in sequence ? sequence.features.length / sequence.length : undefined,
  );
  const [width] = widths;
  sequences.forEach((sequence, i) => {
    if (widths[i] !== width) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${widths[i] ?? "no"} features per step, but ${sequenceText(0, name)} has ${width ?? "none"}`,
      );
    }
    if (width === undefined || !("features" in sequence)) return;
    if (!Number.isInteger(width) || width < 1) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${sequence.features.length} features for ${sequence.length} steps: expected the same number for each step`,
      );
    }
    for (let at = 0; at < sequence.features.length; at++) {
      if (!Number.isFinite(sequence.features[at])) {
        throw new RangeError(
          `${sequenceText(i, name)} has the feature ${sequence.features[at]} at step ${Math.floor(at / width)}: features must be finite`,
        );
      }
    }
  });
  return width;
}

/** The batch with the features of its sequences, laid out as its ids are; unchanged where `width` is undefined. */
export function withFeatures(
  batch: Batch,
  sequences: readonly Sequence[],
  width: number | undefined,
  { truncate }: RectanglePadding,
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
