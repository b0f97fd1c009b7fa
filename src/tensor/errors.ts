/** Shapes, axes or a pattern that do not fit. The message is the one that the compiler shows for the same mistake. */
export class ShapeError extends Error {
  override name = "ShapeError";
}
