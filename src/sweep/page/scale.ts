import { shortNumber } from "../../base/short-number.ts";
import { valueText } from "../groups.ts";

/** Maps the values of one axis to heights from 0 to 1. */
export interface Scale {
  /** Undefined for a value that has no place, such as NaN. */
  at(value: unknown): number | undefined;
  ticks: { at: number; text: string }[];
}

const MOST_TICKS = 6;
/** Categories with a label of their own; of more, some have none. */
const MOST_LABELS = 16;
/** The ratio of the largest to the smallest value from which an axis is logarithmic. */
const LOG_RATIO = 50;

export function scaleOf(values: readonly unknown[]): Scale {
  const present = values.filter((value) => value !== undefined);
  if (!present.every((value) => typeof value === "number")) return categoryScale(present);
  return numberScale(present.filter(Number.isFinite));
}

/** Whether these numbers spread evenly over orders of magnitude, and not over the range itself. */
export function isLogarithmic(numbers: readonly number[]): boolean {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, middle, high] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  if (low === undefined || low <= 0 || high! / low < LOG_RATIO) return false;
  const place = (value: number) => (value - low) / (high! - low);
  const logPlace = (value: number) => Math.log(value / low) / Math.log(high! / low);
  return Math.abs(logPlace(middle!) - 0.5) < Math.abs(place(middle!) - 0.5);
}

function numberScale(numbers: number[]): Scale {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = isLogarithmic(numbers);
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const place = (value: number) => (from === to ? 0.5 : ((log ? Math.log(value) : value) - from) / (to - from));
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const shown =
    distinct.length <= MOST_TICKS
      ? distinct
      : Array.from({ length: 5 }, (_, at) => {
          const value = from + (at / 4) * (to - from);
          return log ? Math.exp(value) : value;
        });
  return {
    at: (value) => (typeof value === "number" && Number.isFinite(value) ? place(value) : undefined),
    ticks: shown.map((value) => ({ at: place(value), text: shortNumber(Number(value.toPrecision(3))) })),
  };
}

function categoryScale(values: readonly unknown[]): Scale {
  const names = [...new Set(values.map(valueText))];
  const every = Math.ceil(names.length / MOST_LABELS);
  const place = (name: string) => (names.length === 1 ? 0.5 : names.indexOf(name) / (names.length - 1));
  return {
    at: (value) => (value === undefined ? undefined : place(valueText(value))),
    ticks: names.filter((_, at) => at % every === 0).map((text) => ({ at: place(text), text })),
  };
}
