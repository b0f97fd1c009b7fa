// Metrics over all batches of an evaluation: an F1 or AUC of the whole is not the mean of those of the batches.
import { listNames } from "../../base/list-names.ts";
import { tf } from "../../runtime/index.ts";
import { readFloat64 } from "../../storage/index.ts";
import { type AnyTensor, softmax } from "../../tensor/index.ts";
import { isTensor } from "../../tensor/tree.ts";
import type { Loss } from "../loss.ts";
import { IGNORED, labelsOf, metricsText, realLabels } from "../targets.ts";
import { auc } from "./auc.ts";
import { accuracy, f1, precision, recall } from "./classes.ts";
import type { MetricName } from "./metric-name.ts";
import { meanCrossEntropy } from "./perplexity.ts";

/** Collects what the metrics compare, batch by batch. */
export interface MetricsCollector {
  add(outputs: unknown, batch: unknown): void;
  /** The metrics of all batches together, by name. */
  end(): Record<string, number>;
}

/** What the metrics compare, of all batches. */
interface Collected {
  labels: number[];
  predictions: number[];
  /** One score an example where there are two classes by one output, else the probabilities of each class. */
  scores: Float64Array[];
  /** The sum of the cross-entropies. */
  losses: number;
  /** 1 where the output is the logit of the positive class. */
  classes: number;
}

/** Precision, recall and F1 are those of class 1 where there are two classes, else means over the classes. */
const averageOf = (classes: number) => ({ average: classes <= 2 ? "binary" : "macro" }) as const;

const metrics: Record<MetricName, (all: Collected) => number> = {
  accuracy: ({ predictions, labels }) => accuracy(predictions, labels),
  precision: ({ predictions, labels, classes }) => precision(predictions, labels, averageOf(classes)),
  recall: ({ predictions, labels, classes }) => recall(predictions, labels, averageOf(classes)),
  f1: ({ predictions, labels, classes }) => f1(predictions, labels, averageOf(classes)),
  auc: ({ scores, labels, classes }) => auc(classes === 1 ? scores.map(([score]) => score!) : scores, labels),
  perplexity: ({ losses, labels }) => Math.exp(losses / labels.length),
};

/** @throws TypeError for an unknown name, and for metrics of classes with a loss that has none */
export function checkMetrics(names: readonly string[], { name: loss }: Pick<Loss<never, never>, "name">): void {
  const unknown = names.find((name) => !Object.hasOwn(metrics, name));
  if (unknown !== undefined)
    throw new TypeError(`metrics must be among "${Object.keys(metrics).join('", "')}", got ${JSON.stringify(unknown)}`);
  if (loss === "meanSquaredError" && names.length > 0)
    throw new TypeError(
      `metrics ${listNames(names)} compare classes, which the loss "meanSquaredError" does not have: return metrics from a loss function`,
    );
  if (loss === "binaryCrossEntropy" && names.includes("perplexity"))
    throw new TypeError(
      'metric "perplexity" needs logits of each class, which the loss "binaryCrossEntropy" does not have',
    );
}

/** A collector of the metrics with these names, whose labels are those that the loss compares the outputs with. */
export function collectMetrics(names: readonly MetricName[], loss: Pick<Loss<never, never>, "name">): MetricsCollector {
  const all: Collected = { labels: [], predictions: [], scores: [], losses: 0, classes: 0 };
  const isBinary = loss.name === "binaryCrossEntropy";
  const addBinary = (logits: AnyTensor, batch: unknown) => {
    const { values } = realLabels(metricsText, batch);
    all.classes = 1;
    for (const logit of readFloat64(logits)) {
      all.predictions.push(Number(logit > 0));
      all.scores.push(Float64Array.of(logit));
    }
    for (const label of values) all.labels.push(Number(label > 0.5));
  };
  const addClasses = (logits: AnyTensor, batch: unknown) => {
    const labels = labelsOf(loss.name, batch);
    const classes = logits.shape.at(-1) ?? 0;
    if (logits.rank < 2 || logits.size !== labels.length * classes)
      throw new RangeError(
        `${metricsText} needs outputs [..., classes] for the batch's ${labels.length} labels, got [${logits.shape.join(", ")}]`,
      );
    const kept = Array.from(labels.keys()).filter((i) => labels[i] !== IGNORED);
    if (kept.length === 0) return;
    all.classes = classes;
    for (const i of kept) all.labels.push(labels[i]!);
    const predictions = tf.argMax(logits, -1).dataSync();
    for (const i of kept) all.predictions.push(predictions[i]!);
    if (names.includes("auc")) {
      const probabilities = readFloat64(softmax(logits));
      for (const i of kept) all.scores.push(probabilities.slice(i * classes, (i + 1) * classes));
    }
    if (names.includes("perplexity")) all.losses += meanCrossEntropy(logits, labels) * kept.length;
  };
  return {
    add(outputs, batch) {
      if (!isTensor(outputs))
        throw new TypeError(
          `${metricsText} needs a model whose outputs are a tensor [..., classes], got ${typeof outputs}: return metrics from the loss function`,
        );
      if (isBinary) addBinary(outputs, batch);
      else addClasses(outputs, batch);
    },
    end: () => Object.fromEntries(names.map((name) => [name, metrics[name](all)])),
  };
}
