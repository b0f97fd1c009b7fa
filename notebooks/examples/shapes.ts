// Pictures of shapes, drawn by arithmetic, so that the n-th one is the same everywhere.

/** The kinds of shape, in the order of their labels. */
export const kinds = ["disc", "square", "triangle", "cross"] as const;

/** Pixels along each side of a picture. */
export const side = 16;

/** The n-th picture, `side * side` pixels of 0 or 1 row by row, and the index of its kind. */
export function picture(n: number): { pixels: Float32Array; kind: number } {
  const kind = n % kinds.length;
  const [cx, cy] = [5 + ((n * 7) % 13) / 2, 5 + ((n * 11) % 13) / 2];
  const radius = 3 + ((n * 5) % 9) / 4;
  const pixels = Float32Array.from({ length: side * side }, (_, i) => {
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
  return { pixels, kind };
}
