/** Where the i-th element of a shape lies in another, which has one element along some axes. */
export function broadcastIndex(kept: readonly number[], shape: readonly number[], i: number): number {
  let place = 0;
  let stride = 1;
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
    if (kept[axis]! > 1) place += (rest % shape[axis]!) * stride;
    stride *= kept[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}
