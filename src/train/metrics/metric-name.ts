/** A metric that `train` and `evaluate` compute over the whole data by its name. */
export type MetricName = "accuracy" | "precision" | "recall" | "f1" | "auc" | "perplexity";
