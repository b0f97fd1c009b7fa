/** Days and times as text in ISO 8601, because a `Date` is an instant; on their way to the front end they are objects of numbers. */
import { isRecord, type Trait } from "./traits.ts";

const DAY = /^\d{4,}-\d\d-\d\d$/;
const CLOCK = /^(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,3})?)?$/;

/** A day, such as `"2026-11-30"`. */
export const date = (): Trait<string> =>
  textOfNumbers('a day, such as "2026-11-30"', "1970-01-01", isDay, dayToWire, dayOf);

/** A time of day, such as `"13:45"` or `"13:45:30.250"`. */
export const time = (): Trait<string> =>
  textOfNumbers('a time of day, such as "13:45" or "13:45:30"', "00:00", isClock, clockToWire, clockOf);

/** A day and a time without a zone, such as `"2026-11-30T13:45"`. */
export const localDateTime = (): Trait<string> =>
  textOfNumbers(
    'a day and a time, such as "2026-11-30T13:45"',
    "1970-01-01T00:00",
    isDayAndClock,
    dayAndClockToWire,
    dayAndClockOf,
  );

/** An instant. */
export const dateTime = (): Trait<Date> => ({
  expects: "a Date",
  accepts: (value) => value instanceof Date && Number.isFinite(value.getTime()),
  initial: () => new Date(0),
  toWire: (value) => dayAndClockToWire(value.toISOString().slice(0, -1)),
  fromWire: (wire) => (isRecord(wire) ? new Date(`${dayAndClockOf(wire)}Z`) : wire),
});

/** Text here, an object of numbers in the front end. */
function textOfNumbers(
  expects: string,
  initial: string,
  accepts: (value: unknown) => boolean,
  toWire: (value: string) => object,
  ofNumbers: (wire: Record<string, unknown>) => string,
): Trait<string> {
  return {
    expects,
    accepts,
    initial: () => initial,
    toWire,
    fromWire: (wire) => (isRecord(wire) ? ofNumbers(wire) : wire),
  };
}

function isDay(value: unknown): boolean {
  if (typeof value !== "string" || !DAY.test(value)) return false;
  const day = new Date(`${value}T00:00Z`);
  // JavaScript takes the 30th of February for the 2nd of March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

function isClock(value: unknown): boolean {
  return typeof value === "string" && CLOCK.test(value) && !Number.isNaN(Date.parse(`1970-01-01T${value}Z`));
}

function isDayAndClock(value: unknown): boolean {
  const [day, clock, ...rest] = String(value).split("T");
  return typeof value === "string" && isDay(day) && isClock(clock) && rest.length === 0;
}

/** Months are counted from 0 there, as in JavaScript. */
function dayToWire(day: string): { year: number; month: number; date: number } {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return { year, month: month - 1, date };
}

function clockToWire(clock: string): { hours: number; minutes: number; seconds: number; milliseconds: number } {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").map(Number);
  const whole = Math.floor(seconds);
  return { hours, minutes, seconds: whole, milliseconds: Math.round((seconds - whole) * 1000) };
}

function dayAndClockToWire(value: string): object {
  const [day = "", clock = ""] = value.split("T");
  return { ...dayToWire(day), ...clockToWire(clock) };
}

const digits = (value: unknown, length: number): string => String(value).padStart(length, "0");

function dayOf({ year, month, date: day }: Record<string, unknown>): string {
  return `${digits(year, 4)}-${digits(Number(month) + 1, 2)}-${digits(day, 2)}`;
}

function clockOf({ hours, minutes, seconds, milliseconds }: Record<string, unknown>): string {
  const start = `${digits(hours, 2)}:${digits(minutes, 2)}`;
  const fraction = Number(milliseconds) > 0 ? `.${digits(milliseconds, 3)}` : "";
  return Number(seconds) > 0 || fraction ? `${start}:${digits(seconds, 2)}${fraction}` : start;
}

const dayAndClockOf = (wire: Record<string, unknown>): string => `${dayOf(wire)}T${clockOf(wire)}`;
