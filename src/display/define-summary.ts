/** The value itself, which shows as this text where it is a cell's result, is logged or stands in another value. */
export function defineSummary<T extends object>(value: T, text: () => string): T {
  return Object.defineProperty(value, Symbol.for("nodejs.util.inspect.custom"), { value: text });
}

/** A number as a person writes it: `12,345`. */
export const formatCount = (count: number): string => count.toLocaleString("en");
