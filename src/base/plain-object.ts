/** Whether a value is an object without a class: what `{ ... }` or `Object.create(null)` makes. */
export const isPlain = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" &&
  x !== null &&
  (Object.getPrototypeOf(x) === Object.prototype || Object.getPrototypeOf(x) === null);
