import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { GradScaler } from "../amp/index.ts";
import { makeFolder } from "../base/folders.ts";
import type { Batches, Place } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import type { StoredArray } from "../tensor/files/array.ts";
import { decodeSafetensors, encodeSafetensors } from "../tensor/files/safetensors.ts";
import { writeDurably } from "../tensor/files/save.ts";
import { parameterList } from "../tensor/index.ts";
import { assignParameters, type EarlyStopState, parameterValues } from "./early-stop.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Evaluation, History, StepRecord } from "./training-log.ts";

export interface CheckpointOptions {
  /** The file, in the safetensors format: parameters by their path under `model/`, the optimizer's numbers under `optimizer/`. */
  path: string;
  /** Steps between two checkpoints; one is also written at the end, and when the training is aborted. */
  every?: number;
  /** Goes on from the file when it is there; true by default. False begins anew. */
  resume?: boolean;
}

/** Where a training run stands. */
export interface TrainingState {
  /** Steps taken. */
  step: number;
  place: Place;
  /** Milliseconds of training until here. */
  elapsed: number;
  history: Pick<History, "steps" | "evaluations">;
  earlyStop: EarlyStopState | undefined;
  /** `GradScaler.stateDict()`, with a scaler. */
  scaler: ReturnType<GradScaler["stateDict"]> | undefined;
}

/** What must be the same for the same bits to follow: the data's lengths, the strategy, the seeds. */
export interface RunIdentity {
  strategy: string;
  lengths: string;
  seed: number;
  accumulate: number;
}

/** Version 2 has other numbers from the same seeds: a training of version 1 would go on with other batches and masks. */
const FORMAT = "halftone training 2";

export function runIdentity(batches: Batches, seed: number, accumulate: number): RunIdentity {
  const { plan } = batches;
  const firstEpoch = JSON.stringify(plan.epoch(0));
  const { buffer, byteOffset, byteLength } = plan.lengths;
  const hash = createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .update(firstEpoch);
  return { strategy: plan.strategy, lengths: hash.digest("hex"), seed, accumulate };
}

/** Writes all that the next step depends on, so that it can be taken in another process with the same result. */
export function saveCheckpoint(
  path: string,
  model: Classifier,
  optimizer: Optimizer,
  state: TrainingState,
  identity: RunIdentity,
): void {
  const { taken, values } = optimizer.state();
  const shapes = new Map(parameterList(model.parameters).map(({ name, variable }) => [name, variable.shape]));
  const arrays = new Map<string, StoredArray>([["history", recordTable(state.history.steps)]]);
  const keep = (prefix: string, all: Record<string, Float32Array>) => {
    for (const [name, own] of Object.entries(all)) {
      arrays.set(`${prefix}/${name}`, { shape: shapes.get(name) ?? [own.length], dtype: "float32", values: own });
    }
  };
  keep("model", parameterValues(model));
  keep("optimizer", values);
  keep("best", state.earlyStop?.parameters ?? {});
  const { step, place, elapsed, history, earlyStop, scaler } = state;
  const bytes = encodeSafetensors(arrays, {
    format: FORMAT,
    state: JSON.stringify({ step, place, elapsed, taken, scaler, evaluations: history.evaluations }),
    identity: JSON.stringify(identity),
    ...(earlyStop ? { earlyStop: JSON.stringify({ best: earlyStop.best, since: earlyStop.since }) } : {}),
  });
  makeFolder(dirname(path));
  writeDurably(path, bytes);
}

/**
 * Puts model and optimizer where a checkpoint left them, and tells where that is; undefined when there is no file.
 *
 * @throws Error when the file is of another model, other data or other seeds, naming what differs
 */
export function loadCheckpoint(
  path: string,
  model: Classifier,
  optimizer: Optimizer,
  identity: RunIdentity,
): TrainingState | undefined {
  if (!existsSync(path)) return undefined;
  const { arrays, metadata } = decodeSafetensors(new Uint8Array(readFileSync(path)), path);
  if (metadata.format !== FORMAT) {
    const what = metadata.format?.startsWith("halftone training")
      ? "is a checkpoint of another version of Halftone, whose seeds gave other numbers: set resume to false to begin anew, or"
      : "is a file of no training run:";
    throw new Error(`${path} ${what} use another path`);
  }
  const saved = JSON.parse(metadata.identity!) as RunIdentity;
  for (const key of ["strategy", "lengths", "seed", "accumulate"] as const) {
    if (saved[key] === identity[key]) continue;
    const what =
      key === "lengths"
        ? "of other sequences, or batches drawn otherwise"
        : `with ${key} ${saved[key]}, not ${identity[key]}`;
    throw new Error(`${path} is a checkpoint ${what}: set resume to false to begin anew, or use another path`);
  }
  const under = (prefix: string) =>
    Object.fromEntries(
      [...arrays]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, { values }]) => [name.slice(prefix.length + 1), values as Float32Array]),
    );
  const { step, place, elapsed, taken, evaluations, scaler } = JSON.parse(metadata.state!) as Omit<
    TrainingState,
    "history"
  > & {
    taken: number;
    evaluations: Evaluation[];
  };
  assignParameters(model, under("model"));
  optimizer.restore({ taken, values: under("optimizer") });
  return {
    step,
    place,
    elapsed,
    history: {
      steps: recordsOf(arrays.get("history")!),
      // JSON has no NaN.
      evaluations: evaluations.map((each) => ({ ...each, accuracy: each.accuracy ?? Number.NaN })),
    },
    scaler,
    earlyStop: metadata.earlyStop ? { ...JSON.parse(metadata.earlyStop), parameters: under("best") } : undefined,
  };
}

type Column = Exclude<keyof StepRecord, "times">;
const COLUMNS: readonly Column[] = [
  "step",
  "epoch",
  "loss",
  "accuracy",
  "learningRate",
  "gradientNorm",
  "lossScale",
  "skipped",
  "milliseconds",
  "processor",
  "elapsed",
  "liveBytes",
  "peakBytes",
  "rss",
  "sequences",
  "tokens",
  "usefulTokens",
];
const TIMES = ["data", "forward", "backward", "update"] as const;

/** Doubles as pairs of 32-bit words: the file keeps the types that tensors have. */
function recordTable(steps: readonly StepRecord[]): StoredArray {
  const rows = steps.map((record) => [
    ...COLUMNS.map((column) => Number(record[column] ?? Number.NaN)),
    ...TIMES.map((part) => record.times[part]),
  ]);
  const doubles = Float64Array.from(rows.flat());
  const width = COLUMNS.length + TIMES.length;
  return { shape: [steps.length, width, 2], dtype: "int32", values: new Int32Array(doubles.buffer) };
}

function recordsOf({ shape, values: words }: StoredArray): StepRecord[] {
  const [rows, width] = shape as [number, number];
  const values = new Float64Array(words.buffer, words.byteOffset, rows * width);
  return Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * width, (row + 1) * width);
    const fields = COLUMNS.map((column, i) => [column, own[i]!] as const);
    const times = TIMES.map((part, i) => [part, own[COLUMNS.length + i]!] as const);
    return {
      ...Object.fromEntries(
        fields
          .filter(([column, value]) => column === "accuracy" || !Number.isNaN(value))
          .map(([column, value]) => [column, column === "skipped" ? value === 1 : value]),
      ),
      times: Object.fromEntries(times),
    } as unknown as StepRecord;
  });
}
