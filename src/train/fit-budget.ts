import { inspect } from "node:util";
import type { HalfType } from "../amp/index.ts";
import { formatBytes, parseBytes } from "../base/bytes.ts";
import { checkPositiveInteger } from "../base/checks.ts";
import { counted } from "../base/counted.ts";
import { defineSummary } from "../display/define-summary.ts";
import type { MemoryPrediction } from "../memory/prediction.ts";
import { type LoraOptions, lora } from "../nn/index.ts";
import { leaves } from "../tensor/index.ts";
import { adafactor } from "./adafactor.ts";
import { adamW } from "./adamw.ts";
import { batchFigures } from "./batch-figures.ts";
import { rowsOf } from "./first-rows.ts";
import type { LossFunction, LossIfNeeded, ObjectiveOf } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import { type GradientMemory, gradientTime, measureGradients, predictionOf } from "./predict-memory.ts";
import type { TrainedModel } from "./trained-model.ts";
import { epochsOf, type TrainingBatches } from "./training-batches.ts";
import type { OptimizerMaker } from "./update-memory.ts";

/** An optimizer by name. */
export type BudgetOptimizer = "adamW" | "adamW8bit" | "adafactor";

/** Which parameters are trained. */
export type Adaptation = "all" | "lora";

/** Options of `fitBudget`. */
export interface FitBudgetOptions<P extends object, B, Out> {
  model: TrainedModel<P, NoInfer<B>, Out>;
  /** The batches of the training; the largest of its first epoch counts. */
  batches: TrainingBatches<B>;
  /** Bytes, or a text such as `"2 GB"`, for all tensors of the training, parameters included. */
  budget: number | string;
  /** As in `train`. */
  loss?: ObjectiveOf<NoInfer<B>> | LossFunction<NoInfer<Out>, NoInfer<B>>;
  /** What is trained: `"all"` trainable parameters, adapters of `"lora"`; both by default. */
  train?: readonly Adaptation[];
  /** The options of `lora`. */
  lora?: LoraOptions;
  /** AdamW, AdamW with 8-bit state and Adafactor by default. */
  optimizers?: readonly BudgetOptimizer[];
  /** Also tries mixed precision in this type. */
  autocast?: HalfType;
  /** Most parts that a batch is split into; 16 by default. */
  accumulate?: number;
  /** Compares measured times of the passes on a part of the batch instead of their multiplications; false by default. */
  measure?: boolean;
}

/** One way to train within a budget. */
export interface Fit<B = unknown, Out = unknown> {
  /** What it is, in words. */
  text: string;
  /** The predicted bytes of a step. */
  memory: MemoryPrediction;
  /** The time of a step, relative to training all parameters on whole batches without checkpointing. */
  time: number;
  trains: Adaptation;
  optimizer: BudgetOptimizer;
  /** The rows of each batch; `accumulate` of them make a step. */
  rows: number;
  /** To be given to `train`, with the model and optimizer of `prepare` and batches of `rows` rows. */
  options: { gradientCheckpointing: boolean; accumulate: number; autocast?: HalfType; capture?: false };
  /** Makes what is trained: the model, or the model with an adapter, and its optimizer. */
  prepare(options?: { learningRate?: number }): { model: TrainedModel<object, B, Out>; optimizer: Optimizer };
}

const makers: Record<BudgetOptimizer, (options: { learningRate?: number }) => OptimizerMaker> = {
  adamW: (options) => (parameters) => adamW(parameters, options),
  adamW8bit: (options) => (parameters) => adamW(parameters, { stateBits: 8, ...options }),
  adafactor: (options) => (parameters) => adafactor(parameters, options),
};
const plain = { adamW: makers.adamW({}), adamW8bit: makers.adamW8bit({}), adafactor: makers.adafactor({}) };
const names: Record<BudgetOptimizer, string> = {
  adamW: "AdamW",
  adamW8bit: "AdamW with 8-bit state",
  adafactor: "Adafactor",
};

/** A captured step runs ops side by side, and so holds up to this much more than one op by op. */
const CAPTURED = 1.25;

/**
 * The ways to train a model within a memory budget: which parameters, with which optimizer, with gradient checkpointing or without, in
 * how many parts a batch `[rows, time]`. Each has its memory by `predictMemory` and its time relative to plain training, best first:
 * ways that train all parameters before adapters, then the fastest, then the smallest. Where a captured step may not fit, the options have
 * `capture: false`.
 *
 *     const [best] = fitBudget({ model, batches, budget: "2 GB" });
 *     const parts = dynamicLengthBatches(examples, { batchSize: best.rows });
 *     await train({ ...best.prepare(), ...best.options, batches: parts, epochs: 1 });
 *
 * The gradients of parts of the largest batch are computed, which takes about as long as three steps.
 *
 * @throws RangeError when nothing fits, with the least and what takes most of it; TypeError for batches without sequences
 */
export function fitBudget<P extends object, B, Out>(
  options: FitBudgetOptions<P, B, Out> & LossIfNeeded<NoInfer<B>>,
): Fit<B, Out>[] {
  const bytes = parseBytes(options.budget, "fitBudget: budget");
  const batch = largestBatch(options.batches);
  const rows = rowsOf(batch);
  const { accumulate: most = 16 } = options;
  checkPositiveInteger("fitBudget: accumulate", most);
  const splits = Array.from({ length: 1 + Math.floor(Math.log2(Math.min(rows, most))) }, (_, i) => 2 ** i);
  const measured = measuredWays(options, batch);
  const base = measured[0]!;
  const unit = options.measure ? gradientTime(base.memory, rows) : base.work;
  const ways = measured.flatMap((way) =>
    (options.optimizers ?? (["adamW", "adamW8bit", "adafactor"] as const)).flatMap((optimizer) =>
      splits.map((accumulate): Fit<B, Out> => {
        const part = Math.ceil(rows / accumulate);
        const memory = predictionOf(way.memory, { optimizer: plain[optimizer], accumulate, rows: part });
        const work = options.measure ? accumulate * gradientTime(way.memory, part) : way.work;
        const { trains, gradientCheckpointing, autocast } = way;
        const fit: Omit<Fit<B, Out>, "text"> = {
          ...{ memory, time: work / unit, trains, optimizer, rows: part },
          options: {
            ...{ gradientCheckpointing, accumulate },
            ...(autocast && { autocast }),
            ...(memory.total * CAPTURED > bytes && { capture: false as const }),
          },
          prepare(rate = {}) {
            const { model } = options;
            const trained = (trains === "lora" ? lora(model as never, options.lora) : model) as unknown as TrainedModel<
              object,
              B,
              Out
            >;
            return { model: trained, optimizer: makers[optimizer](rate)(trained.parameters as never) };
          },
        };
        const text = textOf(fit);
        return defineSummary({ ...fit, text }, () => text);
      }),
    ),
  );
  const fits = ways.filter(({ memory }) => memory.total <= bytes);
  if (fits.length === 0) throw new RangeError(nothingFits(bytes, ways));
  return fits.sort(
    (a, b) =>
      Number(a.trains === "lora") - Number(b.trains === "lora") ||
      a.time - b.time ||
      a.options.accumulate - b.options.accumulate ||
      a.memory.total - b.memory.total,
  );
}

interface Way {
  trains: Adaptation;
  gradientCheckpointing: boolean;
  autocast?: HalfType;
  memory: GradientMemory;
  /** Multiplications, in passes over all weights; those in half precision as their measured time has it. */
  work: number;
}

/** The ways whose gradients differ, measured; the first is plain training, or the plainest that is asked for. */
function measuredWays<P extends object, B, Out>(options: FitBudgetOptions<P, B, Out>, batch: B): Way[] {
  const { model, train = ["all", "lora"], autocast } = options;
  if (train.length === 0 || !train.every((each) => each === "all" || each === "lora"))
    throw new TypeError(`fitBudget: train must be a list of "all" and "lora", got ${inspect(train)}`);
  return train.flatMap((trains) => {
    const adapted = trains === "lora" ? lora(model as never, options.lora) : undefined;
    const trained = (adapted ?? model) as TrainedModel<P, B, Out>;
    try {
      return [false, true].flatMap((gradientCheckpointing) => {
        const given = { model: trained, batch, loss: options.loss, gradientCheckpointing };
        const work = workOf(trained.parameters, trains, gradientCheckpointing);
        const memory = measureGradients(given as never);
        const full: Way = { trains, gradientCheckpointing, memory, work };
        if (!autocast) return [full];
        const half = measureGradients({ ...given, autocast } as never);
        const ratio = half.large.milliseconds / memory.large.milliseconds;
        return [full, { ...full, autocast, memory: half, work: work * ratio }];
      });
    } finally {
      (adapted as { dispose(): void } | undefined)?.dispose();
    }
  });
}

/**
 * Passes over the weights of linear maps: one forward, one for the gradients of inputs above the first trainable parameter, one for those
 * of trained weights, and one more where layers are computed again.
 */
function workOf(parameters: object, trains: Adaptation, gradientCheckpointing: boolean): number {
  const all = leaves(parameters).map(({ tensor }) => tensor as typeof tensor & { trainable?: boolean });
  const first = all.findIndex(({ trainable }) => trainable !== false);
  const weights = all.filter(({ rank }) => rank > 1);
  const sizeOf = (some: readonly { size: number }[]) => some.reduce((sum, { size }) => sum + size, 0);
  const total = sizeOf(weights);
  // Adapters stand behind the model in the tree, and in it nearly everywhere.
  const above = trains === "lora" ? total : sizeOf(weights.filter((each) => all.indexOf(each) >= first));
  const trained = sizeOf(weights.filter(({ trainable }) => trainable !== false));
  return 1 + (above + trained) / total + (gradientCheckpointing ? 1 : 0);
}

type FitFigures = Omit<Fit, "text" | "prepare">;

const textOf = (fit: FitFigures): string =>
  `${wayText(fit)}: ${formatBytes(fit.memory.total)}, ${fit.time.toFixed(2)} times the time`;

function wayText({ trains, optimizer, rows, options }: FitFigures): string {
  const { gradientCheckpointing, accumulate, autocast } = options;
  const rowText = counted(rows, "row");
  const parts = [
    trains === "lora" ? "adapters of LoRA" : "all parameters",
    names[optimizer],
    ...(gradientCheckpointing ? ["gradient checkpointing"] : []),
    ...(autocast ? [autocast] : []),
    accumulate > 1 ? `${accumulate} batches of ${rowText} a step` : `batches of ${rowText}`,
  ];
  return parts.join(", ");
}

/** The causes of memory in words. */
const causes: Record<Exclude<keyof MemoryPrediction, "total">, string> = {
  parameters: "the parameters",
  gradients: "the gradients",
  optimizer: "the optimizer's state",
  activations: "the activations",
  attention: "the attention weights",
  working: "what one operation needs",
};

function nothingFits(bytes: number, ways: readonly FitFigures[]): string {
  const least = ways.reduce((best, way) => (way.memory.total < best.memory.total ? way : best));
  const { total, ...parts } = least.memory;
  const [cause, most] = Object.entries(parts).sort(([, a], [, b]) => b - a)[0]!;
  return (
    `fitBudget: nothing fits in ${formatBytes(bytes)}: the least is ${formatBytes(total)} (${wayText(least)}), of which ` +
    `${causes[cause as keyof typeof causes]} take ${formatBytes(most)}: raise the budget, or take shorter sequences or a smaller model`
  );
}

function largestBatch<B>(batches: TrainingBatches<B>): B {
  let largest: { batch: B; tokens: number } | undefined;
  for (const batch of epochsOf(batches).epoch(0, 0)) {
    const { tokens } = batchFigures([batch], [0]);
    if (!largest || tokens > largest.tokens) largest = { batch, tokens };
  }
  if (!largest) throw new TypeError("fitBudget: there are no batches");
  if (!largest.tokens) throw new TypeError("fitBudget: the batches have no sequences, of which a part could be taken");
  return largest.batch;
}
