import type { Scalar, Tensor, TensorContainer, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, type GradScaler, type HalfType } from "../amp/index.ts";
import { tf } from "../runtime/index.ts";
import { isCapturing } from "../runtime/native/capture/active.ts";
import { differentiate } from "../tensor/tape.ts";
import { exampleCount } from "./batch-figures.ts";
import { type Figure, readFigures } from "./figure.ts";
import { withZeros } from "./gradients.ts";
import type { Loss } from "./loss.ts";
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
  loss: Loss<Out, B>;
  functions?: StepFunctions | undefined;
  /** Called between the two passes. */
  forwardDone(): void;
}

interface Measured {
  metrics: Readonly<Record<string, Figure>>;
  weight: number;
  /** The number of examples. */
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
  const { seed, step, share, autocast: half, scaler, loss: objective, functions, forwardDone } = options;
  let outputsOf: Measured | undefined;
  let read: number | undefined;
  const forward = () => {
    const outputs = model.apply(model.parameters, batch, { training: true, seed });
    const { loss, ...figures } = objective.compute(outputs, batch);
    outputsOf = { ...figures, examples: exampleCount(batch, outputs), loss };
    if (share !== 1) outputsOf.loss = tf.mul(loss, share) as Scalar;
    return outputsOf.loss;
  };
  const scaledLoss = (): [Scalar, Measured] => {
    const loss = half ? autocast(half, forward) : forward();
    return [scaler ? scaler.scale(loss) : loss, outputsOf!];
  };
  const both = () =>
    tf.tidy(() => {
      const { aux, gradients } = differentiate(scaledLoss, variables, {
        // Reading the loss waits for a GPU, so that the forward pass has ended when its time is measured.
        afterForward: () => {
          if (!isCapturing()) read = outputsOf!.loss.dataSync()[0]!;
          forwardDone();
        },
      });
      return { measured: aux, gradients } as unknown as TensorContainer;
    }) as unknown as { measured: Measured; gradients: (Tensor | undefined)[] };
  const { measured, gradients } = functions ? functions.gradients.run(both) : both();
  const loss = read ?? measured.loss.dataSync()[0]!;
  const metrics = readFigures(measured.metrics);
  measured.loss.dispose();
  if (Number.isFinite(loss) && gradients.every((gradient) => gradient === undefined)) {
    throw new Error(
      `step ${step}: ${objective.text} does not depend on any of the optimizer's parameters: compute it from the parameters that \`apply\` receives, by tensor operations`,
    );
  }
  const { weight, examples } = measured;
  return { metrics, weight, examples, loss, gradients: withZeros(gradients, variables) };
}
