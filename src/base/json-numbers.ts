/**
 * JSON has no NaN and no infinities. These functions store such a number as `{ "number": "NaN" }`, because plain text would be ambiguous.
 */

/** `JSON.stringify` that keeps numbers which are not finite. */
export function stringifyNumbers(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_, each) => (typeof each === "number" && !Number.isFinite(each) ? { number: String(each) } : each),
    space,
  );
}

/** `JSON.parse` for what `stringifyNumbers` wrote. @throws SyntaxError */
export function parseNumbers(json: string): unknown {
  return JSON.parse(json, (_, each) => (isStoredNumber(each) ? Number(each.number) : each));
}

function isStoredNumber(value: unknown): value is { number: string } {
  const { number, ...others } = (value ?? {}) as { number?: unknown };
  return typeof number === "string" && /^(NaN|-?Infinity)$/.test(number) && Object.keys(others).length === 0;
}
