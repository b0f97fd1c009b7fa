import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type Figure, figure, palette } from "../plot/index.ts";
import type { Storage } from "../runtime/index.ts";
import { exponentOf, floatFormat, floatFromBits } from "../storage/format.ts";

interface NumberLineOptions {
  from: number;
  to: number;
  formats?: readonly Storage[];
}

/** Most numbers drawn of one format. */
const DRAWN = 2000;

/**
 * Draws the numbers that each format can represent between two values, one row of marks for each format; float16 and bfloat16
 * by default. The spacing doubles at every power of two, and float16 ends at 65504.
 *
 * @throws RangeError when `from` is not below `to`
 */
export function numberLine({ from, to, formats = ["float16", "bfloat16"] }: NumberLineOptions): Figure {
  if (!(from < to)) throw new RangeError(`numberLine: from must be below to, got ${from} and ${to}`);
  return figure({
    data: formats.map((name, row) => {
      const { values, every } = between(from, to, name);
      const label = every === 1 ? name : `${name}, every ${every}th`;
      return {
        type: "scatter",
        mode: "markers",
        name: label,
        x: values,
        y: values.map(() => row),
        marker: { symbol: "line-ns-open", size: 18, color: palette[row % palette.length] },
        hovertemplate: `%{x}<extra>${name}</extra>`,
      };
    }),
    layout: {
      title: { text: `Numbers from ${from} to ${to}` },
      xaxis: { title: { text: "value" } },
      yaxis: { tickvals: formats.map((_, row) => row), ticktext: [...formats], range: [-0.7, formats.length - 0.3] },
    },
  });
}

/** The numbers of a format in a range; every n-th where there are too many to draw. */
function between(from: number, to: number, name: Storage): { values: number[]; every: number } {
  const { bits } = floatFormat(name);
  const top = 1n << BigInt(bits - 1);
  // The bit patterns of one sign, in order of magnitude, are consecutive integers.
  const place = (value: number): bigint => {
    let low = -top;
    let high = top;
    while (low < high) {
      const middle = (low + high) >> 1n;
      if (at(middle, top, name) >= value) high = middle;
      else low = middle + 1n;
    }
    return low;
  };
  const first = place(from);
  const last = place(to);
  const every = Number((last - first) / BigInt(DRAWN)) + 1;
  const values: number[] = [];
  for (let i = first; i <= last; i += BigInt(every)) {
    const value = at(i, top, name);
    if (value >= from && value <= to) values.push(value);
  }
  return { values, every };
}

function at(place: bigint, top: bigint, name: Storage): number {
  const size = place < 0n ? -place : place;
  const value = size >= top ? Number.POSITIVE_INFINITY : floatFromBits(size, name);
  const known = Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
  return place < 0n ? -known : known;
}

interface GradientHistogramOptions {
  title?: string;
  /** The factor of the gradients; 1 by default. */
  lossScale?: number;
  format?: Storage;
}

/** The effect of storing numbers in a format, as shares of the numbers that are not zero. */
export interface Losses {
  /** Share that becomes zero. */
  vanish: number;
  /** Share that becomes subnormal and loses precision. */
  subnormal: number;
  /** Share that becomes infinite, or is not finite already. */
  overflow: number;
  /** Share of all numbers that is zero already. */
  zero: number;
}

/** Counts what storing `scale` times these numbers in a format would lose; float16 and a scale of 1 by default. */
export function formatLosses(values: ArrayLike<number>, format: Storage = "float16", scale = 1): Losses {
  const { smallestSubnormal, smallestNormal, overflow } = floatFormat(format);
  const counts = { vanish: 0, subnormal: 0, overflow: 0, zero: 0 };
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]! * scale);
    if (size === 0) counts.zero++;
    // Half of the smallest number is a tie, which rounds to zero, the even neighbour.
    else if (size <= smallestSubnormal / 2) counts.vanish++;
    else if (size < smallestNormal) counts.subnormal++;
    else if (!(size < overflow)) counts.overflow++;
  }
  const rest = Math.max(1, values.length - counts.zero);
  const share = (count: number) => count / rest;
  return {
    vanish: share(counts.vanish),
    subnormal: share(counts.subnormal),
    overflow: share(counts.overflow),
    zero: values.length ? counts.zero / values.length : 0,
  };
}

/**
 * A histogram of the magnitudes of gradients of any shape by powers of two, coloured by what a format (float16 by default)
 * would lose: Micikevicius et al. 2018 (arXiv 1710.03740), figure 3.
 *
 * @throws RangeError when no number is finite and not zero
 */
export function gradientHistogram(
  gradients: Tensor | ArrayLike<number> | readonly Tensor[],
  options: GradientHistogramOptions = {},
): Figure {
  const { lossScale = 1, format = "float16", title = `Effect of ${format} on the gradients` } = options;
  const values = numbersOf(gradients);
  const { smallestSubnormal, smallestNormal, overflow } = floatFormat(format);
  const counts = new Map<number, number>();
  for (const value of values) {
    const size = Math.abs(value * lossScale);
    if (size === 0 || !Number.isFinite(size)) continue;
    const exponent = exponentOf(size);
    counts.set(exponent, (counts.get(exponent) ?? 0) + 1);
  }
  if (counts.size === 0)
    throw new RangeError("gradientHistogram: expected at least one number that is finite and not zero, got none");
  const exponents = [...counts.keys()].sort((a, b) => a - b);
  const kinds = [
    { name: "becomes 0", color: palette[5], holds: (x: number) => 2 ** x < smallestSubnormal / 2 },
    { name: "loses digits", color: palette[1], holds: (x: number) => 2 ** x < smallestNormal },
    { name: "kept", color: palette[0], holds: (x: number) => 2 ** x < overflow },
    { name: "overflows", color: palette[3], holds: () => true },
  ];
  const kindOf = (exponent: number) => kinds.find((kind) => kind.holds(exponent))!;
  const { vanish, subnormal } = formatLosses(values, format, lossScale);
  const percent = (share: number) => `${(100 * share).toPrecision(3)}%`;
  return figure({
    data: kinds
      .map((kind) => ({ kind, own: exponents.filter((exponent) => kindOf(exponent) === kind) }))
      .filter(({ own }) => own.length > 0)
      .map(({ kind, own }) => ({
        type: "bar",
        name: kind.name,
        x: own,
        y: own.map((exponent) => counts.get(exponent)!),
        marker: { color: kind.color },
      })),
    layout: {
      title: { text: title, subtitle: { text: `${percent(vanish)} become 0, ${percent(subnormal)} lose digits` } },
      xaxis: { title: { text: lossScale === 1 ? "power of two" : `power of two, times the loss scale ${lossScale}` } },
      yaxis: { title: { text: "gradients" }, type: "log" },
      barmode: "stack",
      bargap: 0.05,
      // Room for the subtitle above the legend.
      margin: { t: 110 },
    } as NonNullable<Parameters<typeof figure>[0]["layout"]>,
  });
}

function numbersOf(gradients: Tensor | ArrayLike<number> | readonly Tensor[]): number[] {
  if ("dataSync" in gradients) return Array.from(gradients.dataSync());
  return Array.from(gradients as ArrayLike<number | Tensor>).flatMap((each) =>
    typeof each === "number" ? [each] : Array.from(each.dataSync()),
  );
}
