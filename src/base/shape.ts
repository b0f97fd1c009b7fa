/** The number of elements of a tensor with this shape: 1 for a scalar, whose shape is `[]`. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);
