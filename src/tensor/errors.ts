/** Shapes, axes or a pattern do not fit. The type checker shows the same message for the same mistake. */
export class ShapeError extends Error {
  override name = "ShapeError";
}
