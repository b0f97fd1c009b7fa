import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { shortNumber } from "../base/short-number.ts";
import { inNotebook, sendBundle } from "./display.ts";
import { METRIC, type MetricOutput } from "./metric-output.ts";
import type { MimeBundle } from "./mime.ts";

/** Options of `metric`. */
export interface MetricOptions {
  /** The training step, epoch or another number that grows: the values of one name then are a curve. */
  step?: number;
}

/** One output of a cell: all values that the cell reported under one name. */
interface Shown {
  output: MetricOutput;
  displayId: string;
  /** The earliest time of the next update, in milliseconds of `performance.now()`. */
  next: number;
  isCurrent: boolean;
}

/** Milliseconds between updates, which repeat all values. A longer update gives a longer pause, so that updates take 5 % of the time at most. */
const PERIOD = 250;
const PAUSE = 20;

const shown = new Map<string, Shown>();

/**
 * Reports a result by name, as an output that programs read: `halftone sweep` makes its table and curves from the metrics of all runs. Called
 * again with the same name it adds a value; the last one is the result. In a script it prints a line.
 *
 * @throws TypeError when `value` or `step` is not a number, or the name is empty
 */
export function metric(name: string, value: number, { step }: MetricOptions = {}): void {
  if (typeof name !== "string" || name.trim() === "")
    throw new TypeError(`metric: expected a name, got ${inspect(name, { depth: 0 })}`);
  if (typeof value !== "number") throw new TypeError(notNumber(name, value));
  if (step !== undefined && !Number.isFinite(step))
    throw new TypeError(`metric("${name}"): step must be a finite number, got ${inspect(step, { depth: 0 })}`);
  if (!inNotebook()) {
    process.stdout.write(`${valueText(name, value, step)}\n`);
    return;
  }
  const earlier = shown.get(name);
  const series = earlier ?? begin(name);
  series.output.values.push(Number.isFinite(value) ? value : (String(value) as "NaN"));
  series.output.steps.push(step ?? null);
  series.isCurrent = false;
  if (!earlier) show(series, false);
  else if (performance.now() >= series.next) show(series, true);
}

/** A new output of the running cell. The cell's end shows the values that were held back, and ends the output. */
function begin(name: string): Shown {
  const series = { output: { name, values: [], steps: [] }, displayId: randomUUID(), next: 0, isCurrent: true };
  shown.set(name, series);
  atCellEnd(() => {
    shown.delete(name);
    if (!series.isCurrent) show(series, true);
  });
  return series;
}

function show(series: Shown, update: boolean): void {
  const before = performance.now();
  sendBundle(bundleOf(series.output), series.displayId, update);
  const after = performance.now();
  series.next = after + Math.max(PERIOD, PAUSE * (after - before));
  series.isCurrent = true;
}

function bundleOf(output: MetricOutput): MimeBundle {
  const { name, values, steps } = output;
  const last = valueText(name, Number(values.at(-1)), steps.at(-1) ?? undefined);
  const finite = values.filter((value): value is number => typeof value === "number");
  const range =
    finite.length > 1
      ? `, ${values.length} values from ${shortNumber(finite.reduce((a, b) => Math.min(a, b)))} to ${shortNumber(finite.reduce((a, b) => Math.max(a, b)))}`
      : "";
  return { [METRIC]: output, "text/plain": last + range };
}

const valueText = (name: string, value: number, step: number | undefined) =>
  `${name}: ${shortNumber(value)}${step === undefined ? "" : ` at step ${step}`}`;

function notNumber(name: string, value: unknown): string {
  const isTensor = typeof value === "object" && value !== null && "dataId" in value;
  const advice = isTensor ? ", got a tensor: pass item(x)" : `, got ${inspect(value, { depth: 0 })}`;
  return `metric("${name}"): expected a number${advice}`;
}

/** Calls `work` after the running cell's last output. */
function atCellEnd(work: () => void): void {
  const host = globalThis as unknown as Record<symbol, ((work: () => void) => void) | undefined>;
  host[Symbol.for("halftone.atCellEnd")]?.(work);
}
