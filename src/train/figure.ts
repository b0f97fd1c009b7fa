import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";

/** A metric that is computed on the host from a tensor. */
export interface ReadFigure {
  tensor: Tensor;
  read(tensor: Tensor, labels: ArrayLike<number>): number;
}

/** A metric of a batch. The step reads it once the gradients are computed, because a captured step gives its results at its end. */
export type Figure = number | Scalar | ReadFigure;

/** The metrics as numbers, by the labels of the batch. */
export const readFigures = (
  figures: Readonly<Record<string, Figure>>,
  labels: ArrayLike<number> = [],
): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, readFigure(figure, labels)]));

function readFigure(figure: Figure, labels: ArrayLike<number>): number {
  if (typeof figure === "number") return figure;
  return "read" in figure ? figure.read(figure.tensor, labels) : figure.dataSync()[0]!;
}
