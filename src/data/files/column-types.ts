/** The type of a column. */
export type ColumnType = "number" | "boolean" | "date" | "string";

/** The values of a column of each type; missing numbers are NaN, other missing values null. */
export interface ColumnValues {
  number: Float64Array;
  boolean: (boolean | null)[];
  /** A time without an offset is in UTC. */
  date: (Date | null)[];
  string: (string | null)[];
}

/** A column with its type. */
export type Column = { [T in ColumnType]: { type: T; values: ColumnValues[T] } }[ColumnType];

/** The values that stand for a missing one, as in pandas. */
export const missingTexts: readonly string[] = [
  ...["", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None"],
  ...["1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"],
];

/** What a text may be read as: a number with more digits than a double holds is `"long"`. */
type TextKind = ColumnType | "missing" | "long";

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const INTEGER = /^\s*[+-]?\d+\s*$/;
const INFINITE = /^\s*[+-]?inf(?:inity)?\s*$/i;
const BOOLEAN = /^(?:true|false|True|False|TRUE|FALSE)$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/;

function kindOf(text: string, isMissing: (text: string) => boolean): TextKind {
  if (isMissing(text)) return "missing";
  if (NUMBER.test(text)) return INTEGER.test(text) && !isExact(text.trim()) ? "long" : "number";
  if (INFINITE.test(text)) return "number";
  if (BOOLEAN.test(text)) return "boolean";
  return timeOf(text) === undefined ? "string" : "date";
}

/** Whether a double holds the integer, or prints it with the same digits. */
function isExact(text: string): boolean {
  const number = Number(text);
  if (Number.isSafeInteger(number) || String(number) === text) return true;
  return Number.isFinite(number) && BigInt(number) === BigInt(text.replace("+", ""));
}

/** Milliseconds of the calendar's cycle. `Date.UTC` takes years below 100 for those of the 20th century. */
const FOUR_CENTURIES = 146_097 * 86_400_000;

/** Milliseconds since 1970 of a date or time of ISO 8601; undefined for another text, or a day or time that does not exist. */
function timeOf(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const part = (group: number) => Number(match[group] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const milliseconds = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const later = Date.UTC(year + 400, month - 1, day, hour, minute, second, milliseconds);
  return later - FOUR_CENTURIES - offsetOf(match[8]);
}

/** The milliseconds of an offset from UTC, as in `+02:00`. */
function offsetOf(zone = "Z"): number {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}

function numberOf(text: string): number {
  if (!INFINITE.test(text)) return Number(text);
  return text.trim().startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A column of texts with the type of all its values, and why it has not that of most. */
export interface InferredColumn {
  column: Column;
  missing: number;
  /** For instance `2 of 100 values are not numbers, the first is "abc" in line 17`. */
  note: string | undefined;
}

const PLURALS: Record<ColumnType, string> = {
  number: "numbers",
  boolean: "booleans",
  date: "dates",
  string: "strings",
};

/**
 * The column of texts with the type that all of them have, or else of strings. A column without values has numbers, as in pandas.
 */
export function inferColumn(
  texts: readonly string[],
  isMissing: (text: string) => boolean,
  lineOf: (row: number) => number,
): InferredColumn {
  const counts: Record<TextKind, number> = { number: 0, boolean: 0, date: 0, string: 0, missing: 0, long: 0 };
  const kinds = texts.map((text) => kindOf(text, isMissing));
  for (const kind of kinds) counts[kind]++;
  const { missing } = counts;
  const present = texts.length - missing;
  const convert = (type: ColumnType) => convertColumn(texts, type, isMissing);
  const type = (["number", "boolean", "date"] as const).find((each) => counts[each] === present);
  if (type && texts.length > 0) return { column: convert(type), missing, note: undefined };
  const most = (["number", "boolean", "date"] as const).find(
    (each) => counts[each] + (each === "number" ? counts.long : 0) > present / 2,
  );
  const first = kinds.findIndex((kind) => kind !== most && kind !== "missing");
  const where = `${JSON.stringify(texts[first])} in line ${lineOf(first)}`;
  const note = !most
    ? undefined
    : counts.long > 0 && counts.number + counts.long === present
      ? `${counts.long} of ${present} integers have more digits than a number holds, the first is ${where}`
      : `${present - counts[most]} of ${present} values are not ${PLURALS[most]}, the first is ${where}`;
  return { column: convert("string"), missing, note };
}

/**
 * The column of texts with the given type.
 *
 * @throws RangeError with the line of a value of another type
 */
export function columnOfType(
  name: string,
  type: ColumnType,
  texts: readonly string[],
  isMissing: (text: string) => boolean,
  whereOf: (row: number) => string,
): InferredColumn {
  const kinds = texts.map((text) => kindOf(text, isMissing));
  const fits = (kind: TextKind) =>
    type === "string" || kind === type || kind === "missing" || (type === "number" && kind === "long");
  const wrong = kinds.findIndex((kind) => !fits(kind));
  if (wrong >= 0) {
    throw new RangeError(
      `${whereOf(wrong)}: column ${name} must have ${PLURALS[type]}, got ${JSON.stringify(texts[wrong])}`,
    );
  }
  const missing = kinds.filter((kind) => kind === "missing").length;
  return { column: convertColumn(texts, type, isMissing), missing, note: undefined };
}

function convertColumn(texts: readonly string[], type: ColumnType, isMissing: (text: string) => boolean): Column {
  const or = <T>(read: (text: string) => T) => texts.map((text) => (isMissing(text) ? null : read(text)));
  switch (type) {
    case "number":
      return { type, values: Float64Array.from(texts, (text) => (isMissing(text) ? Number.NaN : numberOf(text))) };
    case "boolean":
      return { type, values: or((text) => text.toLowerCase() === "true") };
    case "date":
      return { type, values: or((text) => new Date(timeOf(text)!)) };
    default:
      return { type, values: or((text) => text) };
  }
}
