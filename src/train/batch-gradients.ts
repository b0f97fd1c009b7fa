import type { Scalar, Tensor, TensorContainer, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, autocastType, type GradScaler, type HalfType } from "../amp/index.ts";
import { isPure } from "../nn/pure.ts";
import { tf } from "../runtime/index.ts";
import { isCapturing } from "../runtime/native/capture/active.ts";
import { Given, stepNumbers, uploaded } from "../runtime/native/capture/step-inputs.ts";
import { differentiate } from "../tensor/tape.ts";
import { exampleCount, ownExamples } from "./batch-figures.ts";
import { type Figure, readFigures } from "./figure.ts";
import { withZeros } from "./gradients.ts";
import type { Loss } from "./loss.ts";
import type { BatchObjective } from "./objective.ts";
import type { StepFunctions } from "./step-functions.ts";
import type { TrainedModel } from "./trained-model.ts";

export interface BatchOptions<Out, B> {
  /** From 1; for messages. */
  step: number;
  /** The seed of dropout in this batch. */
  seed: number;
  /** What the loss is multiplied by, the batch's share of the step. */
  share: number;
  /** The half type of the forward and backward passes. */
  autocast?: HalfType | undefined;
  scaler?: GradScaler | undefined;
  /** As in `ApplyOptions`. */
  gradientCheckpointing: boolean | number;
  loss: Pick<Loss<Out, B>, "text" | "name">;
  objective: BatchObjective<Out>;
  functions?: StepFunctions | undefined;
  /** All variables of the model. */
  parameters: readonly Variable[];
  /** Called between the two passes, unless the step is captured, or may be. */
  forwardDone(): void;
}

interface Measured {
  metrics: Readonly<Record<string, Figure>>;
  /** Of a loss function, which tells it with the loss. */
  weight?: number;
  /** The number of examples, as far as the outputs tell it. */
  examples: number;
  /** The loss without the scale, because a large scale can make the product infinite. */
  loss: Scalar;
}

/** Loss, metrics and gradients of one batch, the gradients in the order of the variables. */
export function batchGradients<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  variables: readonly Variable[],
  batch: B,
  options: BatchOptions<Out, B>,
) {
  const { seed, step, share, autocast: half, scaler, loss, objective, functions, parameters, forwardDone } = options;
  const { gradientCheckpointing } = options;
  const applied = { training: true, seed, gradientCheckpointing };
  let outputsOf: Measured | undefined;
  let read: number | undefined;
  const forward = () => {
    const outputs = model.apply(model.parameters, batch, applied);
    const { loss: own, metrics, weight } = objective.compute(outputs);
    outputsOf = { metrics, examples: exampleCount(undefined, outputs), loss: own };
    if (objective.weight === undefined) outputsOf.weight = weight;
    if (share !== 1)
      outputsOf.loss = tf.mul(own, uploaded(stepNumbers(only, new Given("share", share)), [], "float32"));
    return outputsOf.loss;
  };
  const scaledLoss = (): [Scalar, Measured] => {
    const own = half ? autocast(half, forward) : forward();
    return [scaler ? scaler.scale(own) : own, outputsOf!];
  };
  const both = () =>
    tf.tidy(() => {
      const { aux, gradients } = differentiate(scaledLoss, variables, {
        // Reading the loss waits for a GPU, so that the forward pass has ended when its time is measured.
        afterForward: () => {
          if (isCapturing()) return;
          read = outputsOf!.loss.dataSync()[0]!;
          forwardDone();
        },
      });
      return { measured: aux, gradients } as unknown as TensorContainer;
    }) as unknown as { measured: Measured; gradients: (Tensor | undefined)[] };
  const settings = [loss.name, half, autocastType(), scaler, gradientCheckpointing, share === 1, ...parameters];
  // The objective's labels stand for the batch, too: they are what a loss with a name reads of it.
  const replay =
    loss.name && isPure(model.apply)
      ? { key: [model.apply, ...settings], given: { batch, objective, applied, share } }
      : undefined;
  const { measured, gradients } = functions ? functions.gradients.run(both, { replay, given: batch }) : both();
  const value = read ?? measured.loss.dataSync()[0]!;
  const metrics = readFigures(measured.metrics, objective.labels);
  measured.loss.dispose();
  if (Number.isFinite(value) && gradients.every((gradient) => gradient === undefined)) {
    throw new Error(
      `step ${step}: ${loss.text} does not depend on any of the optimizer's parameters: compute it from the parameters that \`apply\` receives, by tensor operations`,
    );
  }
  const weight = objective.weight ?? measured.weight!;
  const examples = ownExamples(batch) ?? measured.examples;
  return { metrics, weight, examples, loss: value, gradients: withZeros(gradients, variables) };
}

const only = (value: number): number[] => [value];
