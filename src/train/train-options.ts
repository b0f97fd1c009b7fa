import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { GradScaler, HalfType } from "../amp/index.ts";
import type { Batch } from "../batching/index.ts";
import type { TransformerParameters } from "../nn/index.ts";
import type { CheckpointOptions } from "./checkpoint.ts";
import type { EarlyStopOptions } from "./early-stop.ts";
import type { MetricName } from "./metrics/metric-name.ts";
import type { LossFunction, ObjectiveOf } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Schedule } from "./schedule.ts";
import type { TrainedModel } from "./trained-model.ts";
import type { TrainingBatches } from "./training-batches.ts";
import type { StepRecord } from "./training-log.ts";

/**
 * Options of `train`, for a model with parameters `P` that makes outputs `Out` of batches `B`; without type arguments, for a
 * Transformer classifier.
 */
export interface TrainOptions<P extends object = TransformerParameters, B = Batch, Out = Tensor2D> {
  /** A model, or any layer whose input is a batch: `{ parameters, apply(parameters, batch, options) }`. */
  model: TrainedModel<P, NoInfer<B>, Out>;
  /** Batches of any strategy, an array of your own batches, or a function that makes those of an epoch. */
  batches: TrainingBatches<B>;
  /** An optimizer of the model's parameters, or of some of them: `adamW(model.parameters)`. */
  optimizer: Optimizer;
  /** The number of steps. Give either `steps` or `epochs`. */
  steps?: number;
  /** The number of passes over the data. */
  epochs?: number;
  /** Batches whose gradients make one step, as if they were one batch; 1 by default. An epoch's last step may have fewer. */
  accumulate?: number;
  /**
   * The learning rate, a number or a schedule; the optimizer's own by default. Only steps that changed the model are counted, so
   * a step that the scaler skips does not advance the schedule. One of `reduceOnPlateau` also sees the evaluations.
   */
  learningRate?: number | Schedule;
  /**
   * The objective: a name, or a function of outputs and batch that gives a scalar, or `{ loss, metrics, weight }`. The
   * cross-entropy of classes, `"crossEntropy"`, by default. A regression is `"meanSquaredError"` with a model of one output.
   */
  loss?: ObjectiveOf<NoInfer<B>> | LossFunction<NoInfer<Out>, NoInfer<B>>;
  /**
   * Runs forward and backward passes in mixed precision; parameters and optimizer state stay float32. Evaluations run in it
   * too, as in transformers' Trainer. `evaluate(model, batches)` evaluates in float32.
   */
  autocast?: HalfType;
  /** Scales the loss, which float16 needs. Its state is saved in the checkpoint. */
  scaler?: GradScaler;
  /** The seed of dropout; 0 by default. */
  seed?: number;
  /**
   * Keeps of each layer of a Transformer only its input, and computes the layer again in the backward pass: less memory for about a
   * third more time, and the same gradients, bit for bit. A number keeps the input of every so many layers. False by default.
   */
  gradientCheckpointing?: boolean | number;
  /**
   * Computes a step whose ops have occurred three times, with the same shapes (twelve times for further shapes), as one function of TensorFlow; true by default. The
   * results are the same, bit for bit. Code of your own, in the model or the loss, runs at each step. It has no effect on WebAssembly
   * and on a GPU, nor while a probe or a memory budget looks at the ops.
   */
  capture?: boolean;
  /** The type in which workers exchange gradients: half as many bytes, and rounded. Float32 by default; without effect for one worker. */
  reduceIn?: HalfType;
  /** Batches to evaluate on: before the first step, every `evaluateEvery` steps, and after the last. */
  validation?: TrainingBatches<NoInfer<B>>;
  /**
   * Metrics of the evaluations, over all of `validation` together, for instance `["f1", "auc"]`: precision, recall and F1 are those
   * of class 1 where there are two classes, and means over the classes where there are more. Figures of your own are those that a
   * loss function returns.
   */
  metrics?: readonly MetricName[];
  /** Steps between two evaluations; by default only before the first step and after the last. */
  evaluateEvery?: number;
  /** Ends the training when the evaluations no longer improve. */
  earlyStop?: EarlyStopOptions;
  /** Saves what the training needs to resume in another process. */
  checkpoint?: CheckpointOptions;
  /** Called after every step. */
  onStep?: (record: StepRecord) => void;
  /** Ends the training after the step in which it is aborted; the model keeps its parameters. */
  signal?: AbortSignal;
  /**
   * Shows progress; true by default. In a notebook `"figure"` also plots loss and speed, and where the page shows widgets there are a
   * Stop button and a slider that multiplies the learning rate. The rates of the steps are in the history.
   */
  progress?: boolean | "figure";
}
