import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { isTensor } from "../tensor/tree.ts";
import { exampleCount } from "./batch-figures.ts";
import type { Figure } from "./figure.ts";
import { namedLosses } from "./named-losses.ts";
import type { BatchLoss, BatchObjective, LossFunction, LossResult, Objective } from "./objective.ts";
import { lossText } from "./targets.ts";

/** A checked objective. */
export interface Loss<Out, B> {
  /** For messages: `loss "crossEntropy"`. */
  text: string;
  name: Objective | undefined;
  /** The objective of a batch. Throws TypeError for a batch that lacks what the loss needs. */
  of(batch: B): BatchObjective<Out>;
}

/** @throws TypeError for a name that is not one of the objectives */
export function lossOf<Out, B>(given: Objective | LossFunction<Out, B> = "crossEntropy"): Loss<Out, B> {
  if (typeof given === "function") {
    const of = (batch: B) => ({ compute: (outputs: Out) => checked(given(outputs, batch), outputs, batch) });
    return { text: "the loss function", name: undefined, of };
  }
  if (!Object.hasOwn(namedLosses, given)) {
    const names = Object.keys(namedLosses).map((name) => `"${name}"`);
    throw new TypeError(`loss must be ${names.join(", ")} or a function, got ${JSON.stringify(given)}`);
  }
  return { text: lossText(given), name: given, of: namedLosses[given] };
}

/** What a loss function returned, once it is known to be what `LossFunction` says. */
function checked(result: unknown, outputs: unknown, batch: unknown): BatchLoss {
  const { loss, metrics = {}, weight } = (isRecord(result) ? result : { loss: result }) as Partial<LossResult>;
  if (!isTensor(loss)) {
    throw new TypeError(
      `the loss function must return a scalar tensor, or { loss, metrics, weight }, got ${kindOf(result)}`,
    );
  }
  if (loss.size !== 1 || loss.dtype !== "float32") {
    throw new TypeError(
      `the loss function must return a float32 scalar, got ${loss.dtype} [${loss.shape.join(", ")}]: take its mean`,
    );
  }
  const counted = weight ?? exampleCount(batch, outputs);
  if (!(counted >= 0 && Number.isFinite(counted))) {
    throw new RangeError(`the loss function's weight must be a finite number of at least 0, got ${weight}`);
  }
  const figures = Object.entries(metrics).map(([name, figure]) => [name, figureOf(name, figure)]);
  return { loss: loss.reshape([]), metrics: Object.fromEntries(figures), weight: counted };
}

function figureOf(name: string, figure: unknown): Figure {
  if (typeof figure === "number") return figure;
  if (isTensor(figure) && figure.size === 1) return figure as Scalar;
  throw new TypeError(
    `the metric \`${name}\` must be a scalar tensor or a number, got ${isTensor(figure) ? `a tensor [${figure.shape.join(", ")}]` : kindOf(figure)}`,
  );
}

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !isTensor(value) && "loss" in value;

function kindOf(value: unknown): string {
  if (value instanceof Promise) return "a Promise: it must not be async";
  if (value === null || value === undefined) return `${value}`;
  return typeof value === "object"
    ? `an object with ${Object.keys(value).join(", ") || "no properties"}`
    : typeof value;
}
