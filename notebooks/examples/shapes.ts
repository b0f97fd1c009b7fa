// Pictures of shapes, drawn by arithmetic, so that the n-th one is the same everywhere.

/** The kinds of shape, in the order of their labels. */
export const kinds = ["disc", "square", "triangle", "cross"] as const;

/** Pixels along each side of a picture. */
export const side = 16;

/** The n-th picture, `side * side` pixels of 0 or 1 row by row, and the index of its kind. */
export function picture(n: number): { pixels: Float32Array; kind: number } {
  const kind = n % kinds.length;
  const center = [5 + ((n * 7) % 13) / 2, 5 + ((n * 11) % 13) / 2] as const;
  return { pixels: shape(kind, center, 3 + ((n * 5) % 9) / 4), kind };
}

/** The pixels of a shape of a kind, around a centre `[x, y]`. */
export function shape(kind: number, [cx, cy]: readonly [number, number], radius: number): Float32Array {
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) - cx, Math.floor(i / side) - cy];
    const [least, most] = [Math.min(Math.abs(x), Math.abs(y)), Math.max(Math.abs(x), Math.abs(y))];
    const inside = [
      x * x + y * y <= radius * radius,
      most <= radius * 0.85,
      y <= radius * 0.8 && y >= 2 * Math.abs(x) - radius,
      least <= radius * 0.3 && most <= radius,
    ];
    return inside[kind] ? 1 : 0;
  });
}
