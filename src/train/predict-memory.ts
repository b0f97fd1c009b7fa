import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { HalfType } from "../amp/index.ts";
import { checkPositiveInteger } from "../base/checks.ts";
import type { MemoryPrediction } from "../memory/prediction.ts";
import { probe } from "../memory/profile.ts";
import { bytesPerNumber, liveBytes, memoryOf, onAllocation, tf } from "../runtime/index.ts";
import { storageOf } from "../storage/index.ts";
import { parameterList } from "../tensor/index.ts";
import { adamW } from "./adamw.ts";
import { batchGradients } from "./batch-gradients.ts";
import { firstRows, rowsOf } from "./first-rows.ts";
import { lossOf } from "./loss.ts";
import type { LossFunction, LossIfNeeded, ObjectiveOf } from "./objective.ts";
import { stateOf, type TrainedModel } from "./trained-model.ts";
import { processorTime } from "./training-batches.ts";
import { type OptimizerMaker, stateBytes, updateBytes } from "./update-memory.ts";

/** Options of `predictMemory`: what `train` is to be given. */
export interface PredictMemoryOptions<P extends object, B, Out> {
  model: TrainedModel<P, NoInfer<B>, Out>;
  /** The largest batch. */
  batch: B;
  /** As in `train`. */
  loss?: ObjectiveOf<NoInfer<B>> | LossFunction<NoInfer<Out>, NoInfer<B>>;
  /** Makes the optimizer of the trainable parameters; `adamW` by default. */
  optimizer?: OptimizerMaker;
  /** As in `train`; 1 by default. */
  accumulate?: number;
  /** As in `train`; false by default. */
  gradientCheckpointing?: boolean | number;
  /** As in `train`; float32 by default. */
  autocast?: HalfType;
  /** Predicts for a batch of so many rows of this batch's length; by default those of the batch. */
  rows?: number;
}

/**
 * Predicts the bytes of a training step on batches as large as `batch: [rows, time]`, of any model whose batches are sequences. It
 * knows what is frozen, adapters of `lora`, half storage, gradient checkpointing, autocast, accumulation and the optimizer, because it
 * computes the gradients of an eighth and of a quarter of the rows: what a step holds grows with the rows in a straight line. The
 * parameters do not change.
 *
 *     const { total } = predictMemory({ model, batch, gradientCheckpointing: true });
 *
 * @throws TypeError for a batch without sequences, or that lacks what the loss needs; RangeError for a count that is not a positive
 *   integer
 */
export function predictMemory<P extends object, B, Out>(
  options: PredictMemoryOptions<P, B, Out> & LossIfNeeded<NoInfer<B>>,
): MemoryPrediction {
  const { optimizer = adamW as OptimizerMaker, accumulate = 1, rows = rowsOf(options.batch) } = options;
  checkPositiveInteger("predictMemory: accumulate", accumulate);
  checkPositiveInteger("predictMemory: rows", rows);
  return predictionOf(measureGradients(options), { optimizer, accumulate, rows });
}

/** What a step needs that does not depend on its optimizer and accumulation. */
export interface GradientMemory {
  /** Bytes of the parameters as they are stored. */
  parameters: number;
  variables: Variable[];
  /** The bytes held at the peak of the forward and backward passes, by the number of rows. */
  small: Sample;
  large: Sample;
}

interface Sample {
  rows: number;
  /** Bytes held after each allocation, above what was held before. */
  held: number[];
  gradients: number;
  activations: number;
  attention: number;
  milliseconds: number;
}

/** The gradients of two parts of a batch, measured. */
export function measureGradients<P extends object, B, Out>(
  options: Pick<PredictMemoryOptions<P, B, Out>, "model" | "batch" | "loss" | "gradientCheckpointing" | "autocast">,
): GradientMemory {
  const { model, batch, autocast, gradientCheckpointing = false } = options;
  const all = parameterList(model.parameters).map(({ variable }) => variable);
  const unique = [...new Set(all)];
  const variables = unique.filter(({ trainable }) => trainable);
  if (variables.length === 0) throw new TypeError("predictMemory: no parameter of the model is trainable");
  const loss = lossOf<Out, B>(options.loss);
  const rows = rowsOf(batch);
  const measure = (count: number): Sample => {
    const part = count === rows ? batch : firstRows(batch, count);
    const own = { parameters: all, loss, objective: loss.of(part) };
    const given = { step: 1, seed: 0, share: 1, autocast, gradientCheckpointing, ...own };
    const run = () =>
      tf.tidy(() => {
        const state = stateOf(model);
        try {
          batchGradients(model, variables, part, { ...given, forwardDone: () => undefined });
        } finally {
          state.restore();
        }
      });
    const used = processorTime();
    const bytes: number[] = [];
    const stop = onAllocation({ taken: () => bytes.push(liveBytes()) });
    try {
      const { before, byCause } = probe(run);
      return {
        ...{ rows: count, held: bytes.map((each) => each - before), milliseconds: processorTime() - used },
        gradients: byCause.gradients.atPeak,
        activations: byCause.activations.most,
        attention: byCause["attention scores"].most,
      };
    } finally {
      stop();
    }
  };
  const counts = [Math.ceil(rows / 8), Math.ceil(rows / 4)].map((count, i) => Math.min(rows, Math.max(i + 1, count)));
  // Parameters that no op has used yet have no memory of TensorFlow.
  if (unique.some((variable) => !memoryOf(variable))) measure(counts[0]!);
  let [small, large] = counts.map(measure) as [Sample, Sample];
  // Shapes that ops take stay on the device as constants, which are allocated at their first use only.
  if (small.held.length !== large.held.length) [small, large] = counts.map(measure) as [Sample, Sample];
  const parameters = unique.reduce((sum, each) => sum + each.size * bytesPerNumber[storageOf(each)], 0);
  return { parameters, variables, small, large };
}

/** A figure of both samples, continued to a number of rows. */
function at(
  rows: number,
  { small, large }: Pick<GradientMemory, "small" | "large">,
  figure: Exclude<keyof Sample, "rows" | "held">,
): number {
  return continued(rows, { rows: small.rows, value: small[figure] }, { rows: large.rows, value: large[figure] });
}

function continued(rows: number, small: { rows: number; value: number }, large: typeof small): number {
  const width = large.rows - small.rows;
  const slope = width === 0 ? large.value / large.rows : (large.value - small.value) / width;
  return Math.max(0, large.value + slope * (rows - large.rows));
}

/**
 * The peak for a number of rows. Its moment is another one for few rows, where gradients outweigh activations, than for many; so each
 * moment is continued by itself. Both samples take the same steps.
 */
function peakAt(rows: number, { small, large }: GradientMemory): number {
  if (small.held.length !== large.held.length) {
    const most = ({ rows: own, held }: Sample) => ({ rows: own, value: Math.max(...held) });
    return continued(rows, most(small), most(large));
  }
  let peak = 0;
  for (const [i, value] of large.held.entries()) {
    const own = { rows: small.rows, value: small.held[i]! };
    peak = Math.max(peak, continued(rows, own, { rows: large.rows, value }));
  }
  return peak;
}

/** Milliseconds of processor time of the forward and backward passes. Where noise makes more rows faster, they take as long as fewer. */
export const gradientTime = ({ small, large }: GradientMemory, rows: number): number => {
  const milliseconds = Math.min(small.milliseconds, large.milliseconds);
  return at(rows, { small: { ...small, milliseconds }, large }, "milliseconds");
};

/** The prediction for an optimizer, a number of rows and of batches a step. */
export function predictionOf(
  memory: GradientMemory,
  { optimizer, accumulate, rows }: { optimizer: OptimizerMaker; accumulate: number; rows: number },
): MemoryPrediction {
  const { parameters, variables } = memory;
  const count = variables.reduce((sum, { size }) => sum + size, 0);
  const gradients = 4 * count;
  const state = stateBytes(optimizer, variables);
  const peak = peakAt(rows, memory);
  const sum = accumulate > 1 ? gradients : 0;
  const activations = Math.min(peak, at(rows, memory, "activations"));
  const attention = Math.min(peak - activations, at(rows, memory, "attention"));
  const own = Math.min(peak - activations - attention, at(rows, memory, "gradients"));
  const phases = [
    { activations, attention, gradients: own + sum, working: Math.max(0, peak - activations - attention - own) },
    // The sum so far, the gradients of a batch, and their sum.
    { activations: 0, attention: 0, gradients: accumulate > 1 ? 3 * gradients : 0, working: 0 },
    { activations: 0, attention: 0, gradients, working: updateBytes(optimizer) * count },
  ].map((phase) => ({ ...phase, held: Object.values(phase).reduce((bytes, each) => bytes + each, 0) }));
  const { held, ...largest } = phases.reduce((most, phase) => (phase.held > most.held ? phase : most));
  return { ...largest, parameters, optimizer: state, total: parameters + state + held };
}
