const NUMBER = String.raw`[+\-−]?(?:\d{1,3}(?:[,_’ \u00a0]\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?`;
const UNIT = String.raw`(?:[ \u00a0]?(?:%|×|x|[A-Za-zµμ°]{1,8}(?:/[A-Za-z]{1,8})?))?`;
const ONE = `(?:[x×~≈<>≤≥=][ \\u00a0]?)?${NUMBER}${UNIT}`;
const NUMBERS = new RegExp(
  `^(?:${ONE}(?:[ \\u00a0]?(?:±|/|–|-|to|of|\\.\\.)[ \\u00a0]?${ONE})?|NaN|[+\\-−]?(?:Infinity|∞))$`,
);

/** Whether the text of a table cell is a number: `1,234.5`, `45.5 MiB`, `x 1.17`, `0.84 ± 0.17`, `1e-3`. */
export function isNumberText(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length <= 40 && NUMBERS.test(trimmed);
}

/** The text of a table cell without a value. */
const EMPTY = /^[\s\u00a0–—-]*$/;

/** Whether every cell with a value in a column is a number. */
export function isNumberColumn(texts: readonly string[]): boolean {
  const filled = texts.filter((text) => !EMPTY.test(text));
  return filled.length > 0 && filled.every(isNumberText);
}
