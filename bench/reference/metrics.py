"""Writes test/train/fixtures/metrics.json: metrics of scikit-learn, and torchmetrics' formula of the perplexity in NumPy.

    pip install scikit-learn numpy
    python bench/reference/metrics.py
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics

FILE = Path(__file__).parents[2] / "test/train/fixtures/metrics.json"
rng = np.random.default_rng(7)
warnings.simplefilter("ignore")


def plain(value):
    """JSON has no NaN."""
    value = np.asarray(value).tolist()
    return [None if math.isnan(each) else each for each in value] if isinstance(value, list) else None if math.isnan(value) else value


def of_classes(predictions, labels, classes=None):
    names = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    present = np.union1d(predictions, labels)
    averages = ["macro", "micro", "weighted", "none"] + (["binary"] if len(present) <= 2 and classes is None else [])
    own = None if classes is None else list(range(classes))
    values = [
        {
            "metric": name,
            "average": average,
            "zeroDivision": plain(zero),
            "value": plain(metric(labels, predictions, labels=own, average=None if average == "none" else average, zero_division=zero)),
        }
        for name, metric in names.items()
        for average in averages
        for zero in (0.0, 1.0, np.nan)
        # scikit-learn divides by the sum of the weights, which is 0 where every class with a label is left out.
        if not (average == "weighted" and math.isnan(zero) and not np.isin(labels, predictions).any())
    ]
    return {
        "predictions": predictions.tolist(),
        "labels": labels.tolist(),
        "classes": classes,
        "accuracy": metrics.accuracy_score(labels, predictions),
        "confusion": metrics.confusion_matrix(labels, predictions, labels=own).tolist(),
        "values": values,
    }


def drawn(count, classes, right):
    labels = rng.integers(0, classes, count)
    return np.where(rng.random(count) < right, labels, rng.integers(0, classes, count)), labels


def probabilities(rows, classes, decimals):
    logits = rng.normal(size=(rows, classes))
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    # In whole hundredths, so that there are ties and the rows sum to 1.
    counts = np.floor(p * 10**decimals)
    counts[:, 0] += 10**decimals - counts.sum(-1)
    return counts / 10**decimals


def binary_auc(scores, labels):
    return {"scores": scores.tolist(), "labels": labels.tolist(), "value": metrics.roc_auc_score(labels, scores)}


def auc_of_classes(scores, labels):
    value = lambda average: metrics.roc_auc_score(labels, scores, multi_class="ovr", average=average)
    return {"scores": scores.tolist(), "labels": labels.tolist(), "macro": value("macro"), "weighted": value("weighted")}


def perplexity(logits, labels):
    kept = labels != -100
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    losses = -logs[kept, labels[kept]]
    return {"logits": logits.tolist(), "labels": labels.tolist(), "value": math.exp(losses.mean())}


classes = [
    of_classes(*drawn(40, 2, 0.7)),
    of_classes(*drawn(60, 4, 0.6)),
    # Classes that are never predicted, have no label, and do not occur at all.
    of_classes(np.array([0, 0, 2, 2, 1, 0]), np.array([0, 1, 2, 3, 1, 1])),
    of_classes(np.array([0, 0, 2, 2, 1, 0]), np.array([0, 1, 2, 3, 1, 1]), 6),
    of_classes(np.array([0, 0, 0]), np.array([1, 1, 1])),
    of_classes(np.array([0, 0, 0]), np.array([0, 0, 0])),
    of_classes(np.array([0, 1, 0, 1, 1]), np.array([0, 0, 0, 0, 0])),
]
uneven = rng.choice(4, 80, p=[0.1, 0.2, 0.3, 0.4])
ids = rng.integers(0, 7, 30)
ids[rng.random(30) < 0.2] = -100
reference = {
    "classes": classes,
    "auc": [
        binary_auc(np.round(rng.normal(size=50), 6), rng.integers(0, 2, 50)),
        # Many ties.
        binary_auc(rng.integers(0, 5, 60).astype(float), rng.integers(0, 2, 60)),
        binary_auc(np.zeros(4), np.array([0, 1, 1, 0])),
    ],
    "aucOfClasses": [auc_of_classes(probabilities(80, 4, 6), uneven), auc_of_classes(probabilities(80, 4, 1), uneven)],
    "perplexity": perplexity(np.round(rng.normal(size=(30, 7)), 6), ids),
}
FILE.write_text(json.dumps(reference) + "\n")
