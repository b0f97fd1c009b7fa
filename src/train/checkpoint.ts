import { existsSync, readFileSync } from "node:fs";
import type { GradScaler } from "../amp/index.ts";
import type { DataCursor } from "../batching/index.ts";
import { broadcastBytes } from "../distributed/broadcast.ts";
import type { StoredArray } from "../tensor/files/array.ts";
import { decodeSafetensors, encodeSafetensors } from "../tensor/files/safetensors.ts";
import { writeDurably } from "../tensor/files/save.ts";
import type { EarlyStopState } from "./early-stop.ts";
import type { Optimizer } from "./optimizer.ts";
import type { OptimizerState } from "./optimizer-state.ts";
import type { PlateauState } from "./reduce-on-plateau.ts";
import { metricNames, recordsOf, tableOf } from "./step-table.ts";
import { assignParameters, checkParameterValues, type ParameterValues, parameterValues } from "./trained-model.ts";
import type { Epochs } from "./training-batches.ts";
import type { Evaluation, History } from "./training-log.ts";

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

export const runIdentity = (batches: Epochs<unknown>, seed: number, accumulate: number): RunIdentity => ({
  ...batches.identity(),
  seed,
  accumulate,
});

/** Writes all that the next step depends on, so that another process can continue with the same result. */
export function saveCheckpoint(
  path: string,
  model: { readonly parameters: object },
  optimizer: Optimizer,
  state: TrainingState,
  identity: RunIdentity,
): void {
  const { step: taken, groups } = optimizer.stateDict();
  const metrics = metricNames(state.history.steps);
  const arrays = new Map<string, StoredArray>([["history", tableOf(state.history.steps, metrics)]]);
  const keep = (prefix: string, all: ParameterValues) => {
    for (const [name, own] of Object.entries(all)) arrays.set(`${prefix}/${name}`, own);
  };
  keep("model", parameterValues(model));
  for (const [g, { values }] of groups.entries()) {
    for (const [name, own] of Object.entries(values)) {
      arrays.set(`optimizer/${g}/${name}`, { shape: [own.length], dtype: "float32", values: own });
    }
  }
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
      metrics,
    }),
    identity: JSON.stringify(identity),
    ...(earlyStop ? { earlyStop: JSON.stringify({ best: earlyStop.best, since: earlyStop.since }) } : {}),
  });
  writeDurably(path, bytes);
}

/**
 * Restores model and optimizer from a checkpoint and gives the progress of the run; undefined without a file. Where there are several
 * workers, the first one reads the file for all.
 *
 * @throws Error, before anything is assigned, when the checkpoint has another model, optimizer, data or seeds, with the difference
 */
export function loadCheckpoint(
  path: string,
  model: { readonly parameters: object },
  optimizer: Optimizer,
  identity: RunIdentity,
): TrainingState | undefined {
  const bytes = broadcastBytes(() => (existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined));
  if (!bytes) return undefined;
  const { arrays, metadata } = decodeSafetensors(bytes, path);
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
  const state = JSON.parse(metadata.state!) as SavedState;
  const { step, place: cursor, elapsed, evaluations, metrics = [], scaler, schedule } = state;
  const optimizerState = optimizerStateOf(state, arrays, optimizer);
  const parameters = under(arrays, "model");
  // So that a checkpoint of another model or optimizer changes neither.
  checkParameterValues(model, parameters);
  optimizer.loadStateDict(optimizerState);
  assignParameters(model, parameters);
  const earlyStop = metadata.earlyStop
    ? (JSON.parse(metadata.earlyStop) as Pick<EarlyStopState, "best" | "since">)
    : undefined;
  return {
    step,
    cursor,
    elapsed,
    history: { steps: recordsOf(arrays.get("history")!, metrics), evaluations: evaluations.map(withNaN) },
    scaler,
    schedule,
    earlyStop: earlyStop && {
      best: earlyStop.best && withNaN(earlyStop.best),
      since: earlyStop.since,
      parameters: under(arrays, "best"),
    },
  };
}

interface SavedState extends Omit<TrainingState, "history" | "cursor" | "earlyStop"> {
  /** The file's name for the cursor. */
  place: DataCursor;
  /** Steps of the optimizer. */
  taken: number;
  /** The paths of the optimizer's parameters by group; files of before groups existed have none. */
  groups?: string[][];
  evaluations: SavedEvaluation[];
  /** The metrics of the steps apart from the accuracy; absent in older files. */
  metrics?: string[];
}

/** An evaluation in JSON, which has no NaN; older ones have no metrics. */
type SavedEvaluation = Omit<Evaluation, "metrics" | "accuracy"> & {
  accuracy: number | null;
  metrics?: Record<string, number | null>;
};

function withNaN({ accuracy, metrics, ...other }: SavedEvaluation): Evaluation {
  const older = accuracy === null ? {} : { accuracy };
  const figures = Object.entries(metrics ?? older).map(([name, figure]) => [name, figure ?? Number.NaN]);
  return { ...other, accuracy: accuracy ?? Number.NaN, metrics: Object.fromEntries(figures) };
}

function optimizerStateOf(
  { taken, groups }: SavedState,
  arrays: ReadonlyMap<string, StoredArray>,
  optimizer: Optimizer,
): OptimizerState {
  const values = (prefix: string) =>
    Object.fromEntries(Object.entries(under(arrays, prefix)).map(([name, own]) => [name, own.values as Float32Array]));
  if (groups) {
    const states = groups.map((parameters, g) => ({ parameters, values: values(`optimizer/${g}`) }));
    return { step: taken, groups: states };
  }
  const [parameters = []] = optimizer.stateDict().groups.map((group) => group.parameters);
  return { step: taken, groups: [{ parameters, values: values("optimizer") }] };
}

/** The arrays whose names start with `prefix/`, without it. */
function under(arrays: ReadonlyMap<string, StoredArray>, prefix: string): ParameterValues {
  return Object.fromEntries(
    [...arrays]
      .filter(([name]) => name.startsWith(`${prefix}/`))
      .map(([name, own]) => [name.slice(prefix.length + 1), own]),
  );
}
