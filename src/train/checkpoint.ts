import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { GradScaler } from "../amp/index.ts";
import { makeFolder } from "../base/folders.ts";
import type { Batches, DataCursor } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import type { StoredArray } from "../tensor/files/array.ts";
import { decodeSafetensors, encodeSafetensors } from "../tensor/files/safetensors.ts";
import { writeDurably } from "../tensor/files/save.ts";
import { parameterList } from "../tensor/index.ts";
import { assignParameters, type EarlyStopState, parameterValues } from "./early-stop.ts";
import type { Optimizer } from "./optimizer.ts";
import type { PlateauState } from "./reduce-on-plateau.ts";
import type { Evaluation, History, StepRecord } from "./training-log.ts";

/** Where and when `train` writes checkpoints. */
export interface CheckpointOptions {
  /** The file, in safetensors format: parameters by path under `model/`, the optimizer's state under `optimizer/`. */
  path: string;
  /** Steps between two checkpoints. By default one is written only at the end, also when the training is aborted. */
  every?: number;
  /** Resumes from the file if it exists; true by default. False starts again. */
  resume?: boolean;
}

/** The progress of a training run. */
export interface TrainingState {
  /** Steps taken. */
  step: number;
  cursor: DataCursor;
  /** Milliseconds of training so far. */
  elapsed: number;
  history: Pick<History, "steps" | "evaluations">;
  earlyStop: EarlyStopState | undefined;
  /** `GradScaler.stateDict()`, if there is a scaler. */
  scaler: ReturnType<GradScaler["stateDict"]> | undefined;
  /** The state of a schedule of `reduceOnPlateau`. */
  schedule: PlateauState | undefined;
}

/** What must be the same for a resumed run to give the same bits: the data's lengths, the strategy, the seeds. */
export interface RunIdentity {
  strategy: string;
  lengths: string;
  seed: number;
  accumulate: number;
}

/** Version 2 draws other numbers from the same seeds, so a run of version 1 would continue with other batches and masks. */
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

/** Writes all that the next step depends on, so that another process can continue with the same result. */
export function saveCheckpoint(
  path: string,
  model: Classifier,
  optimizer: Optimizer,
  state: TrainingState,
  identity: RunIdentity,
): void {
  const { step: taken, groups } = optimizer.stateDict();
  const shapes = new Map(parameterList(model.parameters).map(({ name, variable }) => [name, variable.shape]));
  const arrays = new Map<string, StoredArray>([["history", recordTable(state.history.steps)]]);
  const keep = (prefix: string, all: Record<string, Float32Array>) => {
    for (const [name, own] of Object.entries(all)) {
      arrays.set(`${prefix}/${name}`, { shape: shapes.get(name) ?? [own.length], dtype: "float32", values: own });
    }
  };
  keep("model", parameterValues(model));
  for (const [g, { values }] of groups.entries()) keep(`optimizer/${g}`, values);
  keep("best", state.earlyStop?.parameters ?? {});
  const { step, cursor, elapsed, history, earlyStop, scaler, schedule } = state;
  const bytes = encodeSafetensors(arrays, {
    format: FORMAT,
    state: JSON.stringify({
      step,
      place: cursor,
      elapsed,
      taken,
      groups: groups.map(({ parameters }) => parameters),
      scaler,
      schedule,
      evaluations: history.evaluations,
    }),
    identity: JSON.stringify(identity),
    ...(earlyStop ? { earlyStop: JSON.stringify({ best: earlyStop.best, since: earlyStop.since }) } : {}),
  });
  makeFolder(dirname(path));
  writeDurably(path, bytes);
}

/**
 * Restores model and optimizer from a checkpoint and gives the progress of the run; undefined without a file.
 *
 * @throws Error when the checkpoint has another model, data or seeds, with the difference
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
    throw new Error(
      metadata.format?.startsWith("halftone training")
        ? `${path} is a checkpoint of another version of Halftone, whose seeds give other numbers: set resume to false to start again, or use another path`
        : `${path} exists but is not a checkpoint: use another path, or delete it`,
    );
  }
  const saved = JSON.parse(metadata.identity!) as RunIdentity;
  for (const key of ["strategy", "lengths", "seed", "accumulate"] as const) {
    if (saved[key] === identity[key]) continue;
    const difference =
      key === "lengths"
        ? "of other sequences, or of batches grouped differently"
        : `with ${key} ${saved[key]}, not ${identity[key]}`;
    throw new Error(`${path} is a checkpoint ${difference}: set resume to false to start again, or use another path`);
  }
  const under = (prefix: string) =>
    Object.fromEntries(
      [...arrays]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, { values }]) => [name.slice(prefix.length + 1), values as Float32Array]),
    );
  const {
    step,
    place: cursor,
    elapsed,
    taken,
    groups,
    evaluations,
    scaler,
    schedule,
  } = JSON.parse(metadata.state!) as Omit<TrainingState, "history" | "cursor"> & {
    /** The file's name for the cursor. */
    place: TrainingState["cursor"];
    taken: number;
    /** The paths of the optimizer's parameters by group. */
    groups: string[][];
    evaluations: Evaluation[];
  };
  assignParameters(model, under("model"));
  optimizer.loadStateDict({
    step: taken,
    groups: groups.map((parameters, g) => ({ parameters, values: under(`optimizer/${g}`) })),
  });
  return {
    step,
    cursor,
    elapsed,
    history: {
      steps: recordsOf(arrays.get("history")!),
      // JSON has no NaN.
      evaluations: evaluations.map((each) => ({ ...each, accuracy: each.accuracy ?? Number.NaN })),
    },
    scaler,
    schedule,
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

/** Doubles as pairs of 32-bit words, because a stored array has the dtype of a tensor. */
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
