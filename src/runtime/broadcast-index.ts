/** Maps the index of an element in a shape to its index in another shape that broadcasts to the first. */
export function broadcastIndex(kept: readonly number[], shape: readonly number[], i: number): number {
  let index = 0;
  let stride = 1;
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
    if (kept[axis]! > 1) index += (rest % shape[axis]!) * stride;
    stride *= kept[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}
