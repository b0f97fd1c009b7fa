import { createHash } from "node:crypto";
import { sortedKeys } from "../base/sorted-keys.ts";
import { UserError } from "../base/user-error.ts";
import { random } from "../data/random.ts";
import { parseParameter, sourceOf } from "../notebook/parameter-values.ts";
import type { Parameters } from "../notebook/parameters.ts";

/** The values that a sweep tries for one parameter. */
export type Axis = { name: string } & (
  | { kind: "values"; values: unknown[] }
  /** A range without a number of values: every integer of it, or any number of it for `--random`. */
  | { kind: "integers"; from: number; to: number }
  | { kind: "numbers"; from: number; to: number; scale: "linear" | "log" }
  /** `count` seeds that each point's other parameters determine. */
  | { kind: "derived"; count: number }
);

/** An axis of which a random search draws values. */
export type SampledAxis = Exclude<Axis, { kind: "derived" }>;

/** Whether a parameter is a seed, by its name: `seed`, `dataSeed`. Points that differ in seeds alone are repetitions of one. */
export const isSeed = (name: string) => /seed$/i.test(name);

/** The most points of a sweep: each has two files in one folder. */
const MOST_POINTS = 100_000;

const NUMBER = String.raw`[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const RANGE = new RegExp(String.raw`^(${NUMBER})\.\.(${NUMBER})(?::(log|linear))?(?::(\d+))?$`, "i");
/** A range with a mistake in it, or a range as Ray Tune, Optuna and Hydra write it. */
const NEARLY_RANGE = new RegExp(
  String.raw`^${NUMBER}\.\.|^\.\.[+-]?\d|^(?:log|linear):${NUMBER}|^(?:q?(?:log)?uniform|(?:log)?randint|choice|range|interval|linspace|logspace|grid_search)\(`,
  "i",
);

/**
 * An axis from `-p NAME=TEXT`: one value as `halftone run` reads it, several with commas between them, or a range. `1..5` is every
 * integer; `0..1:5` is 5 values at equal distances; `1e-4..1e-1:log:5` is 5 values at equal ratios. `auto:3` is 3 seeds that depend on the
 * point's other parameters.
 * @throws UserError if it is a range without values, or nearly a range
 */
export function parseAxis(name: string, text: string): Axis {
  const given = `-p ${name}=${text}`;
  const derived = /^auto(?::(.*))?$/.exec(text.trim());
  if (derived && isSeed(name)) {
    const count = derived[1] ?? "1";
    if (!/^[1-9]\d*$/.test(count)) throw new UserError(`${given}: expected the number of seeds, for instance auto:3.`);
    return { name, kind: "derived", count: Number(count) };
  }
  if (derived?.[1] !== undefined)
    throw new UserError(`${given}: only a seed can be derived, a parameter whose name ends in "seed".`);
  const parts = splitList(text);
  if (parts.length === 1)
    return rangeOf(name, text.trim(), given) ?? { name, kind: "values", values: [parseParameter(name, text)] };
  const values = parts.flatMap((part, at) => {
    const each = part.trim();
    if (each === "")
      throw new UserError(
        `${given}: value ${at + 1} of the list is empty. Remove a comma, or write "" for an empty text.`,
      );
    const inner = rangeOf(name, each, given);
    return inner ? gridValues(inner, {}) : [parseParameter(name, each)];
  });
  return { name, kind: "values", values };
}

function rangeOf(name: string, text: string, given: string): SampledAxis | undefined {
  const range = RANGE.exec(text);
  if (!range) {
    if (NEARLY_RANGE.test(text))
      throw new UserError(
        `${given}: ${text} is not a range. Write 1..5 (integers), 0..1:5 (5 values), 1e-4..1e-1:log:5 or a list a,b; -r ${name}=${text} passes it as text.`,
      );
    return undefined;
  }
  const [, first, last, scale, count] = range;
  const [from, to] = [Number(first!.replaceAll("_", "")), Number(last!.replaceAll("_", ""))];
  if (from > to) throw new UserError(`${given}: the range is empty, because ${from} is above ${to}.`);
  if (scale?.toLowerCase() === "log" && from <= 0)
    throw new UserError(`${given}: a log range must begin above 0, got ${from}.`);
  if (count !== undefined) return { name, kind: "values", values: spaced(from, to, scale, Number(count), given) };
  if (scale === undefined && Number.isInteger(from) && Number.isInteger(to) && !/[.e]/i.test(first! + last!))
    return { name, kind: "integers", from, to };
  return { name, kind: "numbers", from, to, scale: scale?.toLowerCase() === "log" ? "log" : "linear" };
}

/** The number of values in a grid. */
export function gridCount(axis: Axis): number {
  if (axis.kind === "values") return axis.values.length;
  if (axis.kind === "integers") return axis.to - axis.from + 1;
  return axis.kind === "derived" ? axis.count : 1;
}

/** Every value of the axis, for a grid; `others` are the point's other parameters. @throws UserError if there are infinitely many */
export function gridValues(axis: Axis, others: Parameters): unknown[] {
  if (axis.kind === "values") return axis.values;
  if (axis.kind === "integers") {
    const count = gridCount(axis);
    requireFew(count, `-p ${axis.name}=${axis.from}..${axis.to}`);
    return Array.from({ length: count }, (_, at) => axis.from + at);
  }
  if (axis.kind === "derived") return Array.from({ length: axis.count }, (_, at) => derivedSeed(axis.name, others, at));
  const { name, from, to, scale } = axis;
  const range = `${from}..${to}${scale === "log" ? ":log" : ""}`;
  throw new UserError(
    `-p ${name}=${range}: a grid needs the number of values, for instance ${range}:5. --random N draws from the whole range.`,
  );
}

/** The value of sample `index` of a random search. It does not depend on other axes or on how many samples there are. */
export function sampleValue(axis: SampledAxis, index: number, seed: number): unknown {
  const drawn = random(hashOf([seed, axis.name, index]));
  if (axis.kind === "values") return drawn.pick(axis.values);
  if (axis.kind === "integers") return drawn.integer(axis.from, axis.to + 1);
  const { from, to, scale } = axis;
  const share = drawn.uniform();
  return scale === "log" ? from * (to / from) ** share : from + (to - from) * share;
}

function derivedSeed(name: string, others: Parameters, index: number): number {
  return hashOf([name, sourceOf(sortedKeys(others)), index]) % 2 ** 31;
}

/** A number of 48 bits. */
function hashOf(parts: unknown[]): number {
  return createHash("sha256").update(JSON.stringify(parts)).digest().readUIntBE(0, 6);
}

/** @throws UserError for more points than a sweep can have */
export function requireFew(count: number, given: string): void {
  if (count > MOST_POINTS)
    throw new UserError(
      `${given}: ${count} points are too many; a sweep has at most ${MOST_POINTS}. Give fewer values, or draw some with --random N.`,
    );
}

function spaced(from: number, to: number, scale: string | undefined, count: number, given: string): number[] {
  requireFew(count, given);
  if (count < 1) throw new UserError(`${given}: the range is empty, because it has 0 values.`);
  if (count === 1 && from !== to)
    throw new UserError(`${given}: one value cannot cover a range; give 2 or more, or the value alone.`);
  return Array.from({ length: count }, (_, at) => {
    if (at === 0) return from;
    if (at === count - 1) return to;
    const share = at / (count - 1);
    const value = scale?.toLowerCase() === "log" ? from * (to / from) ** share : from + (to - from) * share;
    // 0.30000000000000004 would be a value that nobody asked for.
    return Number(value.toPrecision(12));
  });
}

/** Splits at commas outside of quotes and brackets: `[1,2],[3]` is two lists, `f(1,2)` one text. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let [depth, quoted, start] = [0, false, 0];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (letter === "\\" && quoted) at++;
    else if (letter === '"' && (quoted || depth > 0 || text.slice(start, at).trim() === "")) quoted = !quoted;
    else if (!quoted && "[{(".includes(letter)) depth++;
    else if (!quoted && "]})".includes(letter)) depth = Math.max(0, depth - 1);
    else if (letter === "," && !quoted && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
