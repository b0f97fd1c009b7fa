/** Gives a value a text that `inspect`, `console.log` and a cell's output show for it, and returns the value. */
export function defineSummary<T extends object>(value: T, text: () => string): T {
  return Object.defineProperty(value, Symbol.for("nodejs.util.inspect.custom"), { value: runsNoUserCode(text) });
}

/** Marks a method for `inspect` that what looks at variables without running a person's code may call, as `%whos` does. */
export const runsNoUserCode = <F extends () => string>(text: F): F =>
  Object.defineProperty(text, Symbol.for("halftone.shown"), { value: true });

/** A number with separators: `12,345`. */
export const formatCount = (count: number): string => count.toLocaleString("en");
