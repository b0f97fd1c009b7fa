import { UserError } from "../base/user-error.ts";
import type { Parameters } from "../notebook/parameters.ts";
import { type Axis, gridCount, gridValues, isSeed, requireFew, sampleValue } from "./axis.ts";

export interface Search {
  /** Draw this many samples instead of every combination. */
  random?: number;
  /** What the samples depend on (default: 0). */
  randomSeed?: number;
}

/**
 * The parameters of every point: each of `rows` (rows of a file; one empty row by default) with each combination of the axes. With
 * `random`, the axes are sampled instead; seeds are not sampled, so each sample runs with each seed.
 */
export function pointsOf(
  axes: readonly Axis[],
  { random, randomSeed = 0 }: Search,
  rows: readonly Parameters[] = [{}],
): Parameters[] {
  const names = [...rows.flatMap((row) => Object.keys(row)), ...axes.map(({ name }) => name)];
  if (names.length === 0) throw new UserError("No parameter is given: give -p name=values or --params FILE.");
  for (const [at, { name }] of axes.entries()) {
    if (rows.some((row) => Object.hasOwn(row, name)) || axes.findIndex((axis) => axis.name === name) < at)
      throw new UserError(
        `The parameter ${name} is given twice. Give it once, by -p, -r or --params; -p ${name}=a,b tries several values.`,
      );
  }
  const sampled = axes
    .filter((axis) => axis.kind !== "derived")
    .filter(({ name }) => random !== undefined && !isSeed(name));
  if (random !== undefined && sampled.length === 0)
    throw new UserError("--random draws values of parameters, but none is given except seeds: give -p name=from..to.");
  const gridded = axes.filter(({ name }) => !sampled.some((axis) => axis.name === name));
  const counts = [rows.length, random ?? 1, ...gridded.map(gridCount)];
  requireFew(
    counts.reduce((product, count) => product * count, 1),
    `${counts.filter((count) => count > 1).join(" · ")} combinations`,
  );
  const samples = Array.from({ length: random ?? 1 }, (_, index) =>
    Object.fromEntries(sampled.map((axis) => [axis.name, sampleValue(axis, index, randomSeed)])),
  );
  // Derived seeds last, because they depend on all others.
  const ordered = [
    ...gridded.filter(({ kind }) => kind !== "derived"),
    ...gridded.filter(({ kind }) => kind === "derived"),
  ];
  const starts = rows.flatMap((row) => samples.map((sample) => ({ ...row, ...sample })));
  return starts.flatMap((start) =>
    ordered.reduce<Parameters[]>(
      (points, axis) =>
        points.flatMap((point) => gridValues(axis, point).map((value) => ({ ...point, [axis.name]: value }))),
      [start],
    ),
  );
}
