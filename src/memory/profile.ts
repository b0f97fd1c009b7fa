import { formatBytes } from "../base/bytes.ts";
import { type Displayable, display, displaySymbol, inNotebook, mimeBundle, table } from "../display/index.ts";
import type { Figure } from "../plot/index.ts";
import { collect, liveBytes, type MemoryCategory } from "../runtime/index.ts";
import { type Breakdown, breakDown, causes, type TimedShare } from "./breakdown.ts";
import { timelineFigure, treemapFigure } from "./figures.ts";
import { gpuMemory } from "./gpu.ts";
import type { MemoryPrediction } from "./prediction.ts";
import { record } from "./recorder.ts";

/** The memory (bytes) and time (milliseconds) of a function's run, with its value. */
export interface Probe<T> extends Breakdown, Displayable {
  value: T;
  milliseconds: number;
  /** Bytes of native memory held at the beginning. */
  before: number;
  /** Resident set size of the process. */
  rss: { before: number; after: number; most: number };
  /** Bytes of JavaScript objects. */
  heap: { before: number; after: number };
  /** GPU memory in use, where there is a GPU. */
  gpu?: { before: number; after: number };
  predicted?: MemoryPrediction;
  /** Memory over time, by cause. */
  timelineFigure(): Figure;
  /** Memory at the peak, by cause, layer and op. */
  treemapFigure(): Figure;
}

/** Options of `probe`. */
export interface ProbeOptions {
  /** The result of `predictTransformerMemory`, shown beside the measurement. */
  predicted?: MemoryPrediction;
}

/**
 * Runs an async function and measures its time, its peak and retained native memory by storage type, op, layer (see
 * `profileScope`) and cause, and the memory of the process and the GPU. Retained memory is what is reachable at the end. A
 * notebook shows tables, a timeline and a treemap.
 *
 * Causes: trainable variables are parameters, other variables optimizer state. Tensors saved for the backward pass are
 * activations, or attention scores where they have the shape of attention weights. All else, also batches and predictions, is
 * temporary. Recording adds some time to each op.
 */
export function probe<T>(fn: () => Promise<T>, options?: ProbeOptions): Promise<Probe<T>>;
/** Runs a function and measures its time and memory, as for an async one. */
export function probe<T>(fn: () => T, options?: ProbeOptions): Probe<T>;
export function probe<T>(fn: () => T | Promise<T>, { predicted }: ProbeOptions = {}): Probe<T> | Promise<Probe<T>> {
  collect();
  const gpuBefore = gpuMemory();
  const before = liveBytes();
  const memoryBefore = process.memoryUsage();
  const recorder = record();
  const start = performance.now();
  const finish = (value: T): Probe<T> => {
    const milliseconds = performance.now() - start;
    collect();
    const recording = recorder.end();
    const memory = process.memoryUsage();
    const gpuAfter = gpuMemory();
    const breakdown = breakDown(recording);
    const made = {
      value,
      milliseconds,
      before,
      ...breakdown,
      rss: { before: memoryBefore.rss, after: memory.rss, most: recording.mostRss },
      heap: { before: memoryBefore.heapUsed, after: memory.heapUsed },
      ...(gpuBefore !== undefined && gpuAfter !== undefined && { gpu: { before: gpuBefore, after: gpuAfter } }),
      ...(predicted && { predicted }),
      timelineFigure: () => timelineFigure(breakdown, predicted?.total),
      treemapFigure: () => treemapFigure(breakdown),
    };
    return Object.defineProperty(made as Probe<T>, displaySymbol, { enumerable: false, value: () => shown(made) });
  };
  let value: T | Promise<T>;
  try {
    value = fn();
  } catch (error) {
    recorder.end();
    throw error;
  }
  if (!(value instanceof Promise)) return finish(value);
  recorder.awaits();
  return value.then(finish, (error: unknown) => {
    recorder.end();
    throw error;
  });
}

type Shown = Omit<Probe<unknown>, typeof displaySymbol>;

const PREDICTED: Record<MemoryCategory, keyof MemoryPrediction> = {
  parameters: "parameters",
  gradients: "gradients",
  "optimizer state": "optimizer",
  activations: "activations",
  "attention scores": "attention",
  temporary: "working",
};

async function shown(probe: Shown): Promise<Record<string, unknown>> {
  const tables = [
    overall(probe),
    byCause(probe),
    byType(probe),
    timed("layer", probe.byLayer),
    timed("op", probe.byOp),
  ];
  // A cell's result is one bundle, so the figures are displayed before it.
  if (inNotebook()) {
    display(probe.timelineFigure());
    display(probe.treemapFigure());
  }
  const bundles = await Promise.all(tables.map((one) => mimeBundle(one)));
  return {
    "text/html": bundles.map((bundle) => String(bundle["text/html"])).join("\n"),
    "text/plain": bundles.map((bundle) => String(bundle["text/plain"])).join("\n\n"),
  };
}

function overall({ milliseconds, before, peak, retained, rss, heap, gpu, predicted }: Shown): Displayable {
  const sign = (bytes: number) => `${bytes < 0 ? "" : "+"}${formatBytes(bytes)}`;
  const rows = [
    { what: "time", measured: `${milliseconds.toFixed(1)} ms` },
    { what: "tensors, before", measured: formatBytes(before) },
    { what: "tensors, peak", measured: formatBytes(peak) },
    ...(predicted ? [{ what: "tensors, predicted peak", measured: formatBytes(predicted.total) }] : []),
    { what: "tensors, retained", measured: sign(retained) },
    { what: "process (RSS), most", measured: `${formatBytes(rss.most)} (${sign(rss.after - rss.before)} kept)` },
    { what: "JavaScript heap", measured: `${formatBytes(heap.after)} (${sign(heap.after - heap.before)})` },
    ...(gpu ? [{ what: "GPU", measured: `${formatBytes(gpu.after)} (${sign(gpu.after - gpu.before)})` }] : []),
  ];
  return table(rows);
}

function byCause({ byCause, predicted }: Shown): Displayable {
  return table(
    causes.map((cause) => ({
      cause,
      "at the peak": formatBytes(byCause[cause].atPeak),
      most: formatBytes(byCause[cause].most),
      ...(predicted && { predicted: formatBytes(predicted[PREDICTED[cause]]) }),
      retained: formatBytes(byCause[cause].retained),
    })),
  );
}

function byType({ byType }: Shown): Displayable {
  const rows = Object.entries(byType).sort(([, a], [, b]) => b.atPeak - a.atPeak);
  return table(
    rows.map(([type, { atPeak, most, retained }]) => ({
      "stored as": type,
      "at the peak": formatBytes(atPeak),
      most: formatBytes(most),
      retained: formatBytes(retained),
    })),
  );
}

function timed(what: string, shares: Record<string, TimedShare>): Displayable {
  const rows = Object.entries(shares).sort(([, a], [, b]) => b.most - a.most || b.milliseconds - a.milliseconds);
  return table(
    rows.map(([name, { calls, milliseconds, atPeak, most, retained }]) => ({
      [what]: name || "outside of layers",
      calls,
      ms: milliseconds.toFixed(2),
      "at the peak": formatBytes(atPeak),
      most: formatBytes(most),
      retained: formatBytes(retained),
    })),
    { limit: 20 },
  );
}
