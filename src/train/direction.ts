import type { MetricName } from "./metrics/metric-name.ts";
import type { Objective } from "./objective.ts";

/** Whether the smallest or the largest is the best. */
export type Direction = "min" | "max";

/** A figure of an evaluation whose direction is known. */
export type KnownFigure = "loss" | Objective | MetricName;

/**
 * The figure of the evaluations that must improve, `by`: `"loss"`, the default, or a metric, for instance `"accuracy"`. `mode` says
 * whether the smallest or the largest is the best. It is known for losses and for the metrics of this library; a figure of your own
 * needs it.
 */
export type WatchedFigure = { by?: KnownFigure; mode?: Direction } | { by: string; mode: Direction };

const directions: Record<KnownFigure, Direction> = {
  loss: "min",
  crossEntropy: "min",
  meanSquaredError: "min",
  binaryCrossEntropy: "min",
  tokenCrossEntropy: "min",
  nextToken: "min",
  perplexity: "min",
  accuracy: "max",
  precision: "max",
  recall: "max",
  f1: "max",
  auc: "max",
};

/** @throws TypeError when it is not known whether the figure should rise or fall */
export function directionOf(op: string, { by = "loss", mode }: { by?: string; mode?: Direction }): Direction {
  const direction = mode ?? (Object.hasOwn(directions, by) ? directions[by as KnownFigure] : undefined);
  if (direction === "min" || direction === "max") return direction;
  throw new TypeError(`${op} by "${by}" needs mode: "min" or "max", got ${JSON.stringify(direction)}`);
}
