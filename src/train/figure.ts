import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";

/** A metric that is computed on the host from a tensor. */
export interface ReadFigure {
  tensor: Tensor;
  read(tensor: Tensor): number;
}

/** A metric of a batch. The step reads it once the gradients are computed, because a captured step gives its results at its end. */
export type Figure = number | Scalar | ReadFigure;

/** The metrics as numbers. */
export const readFigures = (figures: Readonly<Record<string, Figure>>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, readFigure(figure)]));

function readFigure(figure: Figure): number {
  if (typeof figure === "number") return figure;
  return "read" in figure ? figure.read(figure.tensor) : figure.dataSync()[0]!;
}
