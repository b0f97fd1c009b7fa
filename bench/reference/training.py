"""Writes test/train/fixtures/training.json: ten steps of PyTorch training loops of small models, on given weights and data.

    pip install torch numpy
    python bench/reference/training.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

FILE = Path(__file__).parents[2] / "test/train/fixtures/training.json"
STEPS = 10
VOCABULARY, WIDTH, TAGS = 11, 6, 4
torch.manual_seed(5)


def array(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{n:.9g}") for n in tensor.detach().flatten().tolist()]}


def weights(**shapes):
    return {name: 0.5 * torch.randn(shape) for name, shape in shapes.items()}


def mlp(p, x):
    return torch.tanh(x @ p["first"] + p["bias"]) @ p["second"]


def tagger(p, ids):
    return torch.tanh(p["table"][ids]) @ p["head"]


OPTIMIZERS = {
    "sgd": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adamW": lambda ps: torch.optim.AdamW(ps, lr=0.05, weight_decay=0.1),
}


def train(start, make, batches, loss):
    """The losses of ten steps over the batches in turn, and the parameters after them."""
    p = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = make(list(p.values()))
    losses, accuracies = [], []
    for step in range(STEPS):
        value, accuracy = loss(p, batches[step % len(batches)])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
        accuracies.append(accuracy)
    return {"losses": losses, "accuracies": accuracies, "parameters": {name: array(v) for name, v in p.items()}}


def classes(p, batch, **options):
    logits = mlp(p, x[batch])
    return F.cross_entropy(logits, labels[batch], **options), (logits.argmax(-1) == labels[batch]).float().mean().item()


def regression(p, batch):
    return F.mse_loss(mlp(p, x[batch])[:, 0], targets[batch]), None


def binary(p, batch):
    logits, truth = mlp(p, x[batch])[:, 0], (labels[batch] > 0).float()
    return F.binary_cross_entropy_with_logits(logits, truth), ((logits > 0) == (truth > 0.5)).float().mean().item()


def tokens(p, batch, wanted):
    """Over all counted tokens of the batch's sequences, each on its own, so that nothing is padded."""
    logits = torch.cat([tagger(p, sequences[i]) for i in batch])
    truth = torch.cat([wanted(i) for i in batch])
    counted = truth != -100
    right = (logits.argmax(-1) == truth)[counted].float().mean().item()
    return F.cross_entropy(logits, truth, ignore_index=-100), right


def next_ids(i):
    return torch.cat([sequences[i][1:], torch.tensor([-100])])


x = torch.randn(12, 4)
labels = torch.randint(0, 3, (12,))
targets = torch.randn(12)
mlp_start = weights(first=(4, 8), bias=(8,), second=(8, 3))
one_output = {**mlp_start, "second": mlp_start["second"][:, :1].clone()}

lengths = [7, 3, 5, 2, 6, 4, 3]
sequences = [torch.randint(1, VOCABULARY, (n,)) for n in lengths]
tags = [torch.randint(0, TAGS, (n,)) for n in lengths]
tags[0][2] = tags[4][0] = -100
tagger_start = weights(table=(VOCABULARY, WIDTH), head=(WIDTH, TAGS))
language_start = weights(table=(VOCABULARY, WIDTH), head=(WIDTH, VOCABULARY))

rows = [list(range(0, 5)), list(range(5, 10)), list(range(10, 12))]
pairs = [[0, 1], [2, 3], [4, 5], [6]]
everything = [list(range(12))]
all_sequences = [list(range(len(lengths)))]

runs = {
    "classes": {k: train(mlp_start, make, rows, classes) for k, make in OPTIMIZERS.items()},
    "classesAtOnce": {k: train(mlp_start, make, everything, classes) for k, make in OPTIMIZERS.items()},
    "smoothed": {
        k: train(mlp_start, make, rows, lambda p, b: classes(p, b, label_smoothing=0.1)) for k, make in OPTIMIZERS.items()
    },
    "regression": {k: train(one_output, make, rows, regression) for k, make in OPTIMIZERS.items()},
    "binary": {k: train(one_output, make, rows, binary) for k, make in OPTIMIZERS.items()},
    "tags": {
        k: train(tagger_start, make, pairs, lambda p, b: tokens(p, b, lambda i: tags[i])) for k, make in OPTIMIZERS.items()
    },
    "tagsAtOnce": {
        k: train(tagger_start, make, all_sequences, lambda p, b: tokens(p, b, lambda i: tags[i]))
        for k, make in OPTIMIZERS.items()
    },
    "nextAtOnce": {
        k: train(language_start, make, all_sequences, lambda p, b: tokens(p, b, next_ids)) for k, make in OPTIMIZERS.items()
    },
}
FILE.write_text(
    json.dumps(
        {
            "x": array(x),
            "labels": labels.tolist(),
            "targets": array(targets)["values"],
            "sequences": [s.tolist() for s in sequences],
            "tags": [t.tolist() for t in tags],
            "mlp": {name: array(v) for name, v in mlp_start.items()},
            "oneOutput": {name: array(v) for name, v in one_output.items()},
            "tagger": {name: array(v) for name, v in tagger_start.items()},
            "language": {name: array(v) for name, v in language_start.items()},
            "runs": runs,
        },
        separators=(",", ":"),
    )
    + "\n"
)
