// Random numbers with a condition: normal numbers between bounds, and orthonormal vectors.
import type { Random } from "../data/random.ts";

/** A tail ends where x^2 exceeds its smallest value by this much: the density has fallen there by a factor of e^40. */
const REACH = 80;

/** A standard normal number in [low, high], by rejection (Robert 1995, "Simulation of truncated normal variables"). */
export function normalBetween(rng: Random, low: number, high: number): number {
  const isAround = low <= 0 && high >= 0;
  if (isAround && high - low > Math.sqrt(2 * Math.PI)) {
    for (;;) {
      const x = rng.normal();
      if (x >= low && x <= high) return x;
    }
  }
  const nearest = isAround ? 0 : low > 0 ? low : high;
  const reach = Math.sqrt(nearest * nearest + REACH);
  const [from, to] = [Math.max(low, -reach), Math.min(high, reach)];
  for (;;) {
    const x = from + (to - from) * rng.uniform();
    if (rng.uniform() <= Math.exp((nearest * nearest - x * x) / 2)) return x;
  }
}

/**
 * Orthonormal vectors of uniform direction: normal vectors, made orthogonal one after another (Gram and Schmidt), in two passes because
 * the first leaves rounding errors.
 */
export function orthonormal(rng: Random, count: number, length: number): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const own = Float64Array.from({ length }, () => rng.normal());
    for (let pass = 0; pass < 2; pass++)
      for (const other of vectors) {
        const along = dot(own, other);
        for (let i = 0; i < length; i++) own[i]! -= along * other[i]!;
      }
    const size = Math.sqrt(dot(own, own));
    vectors.push(own.map((value) => value / size));
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
