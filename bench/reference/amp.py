"""Writes test/amp/fixtures/transformer.json: PyTorch's autocast on the CPU training the model of src/nn.

    pip install torch numpy && python bench/reference/amp.py

One small batch is learned by heart, in float32, under bfloat16 autocast, and under float16 autocast with a GradScaler,
from the same weights; beside it what PyTorch's GradScaler does to its scale on a series of overflows.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from model import Classifier, in_our_layout

STEPS = 60
SIZES = dict(vocabulary=16, classes=10, length=12, features=16, heads=2, layers=2, hidden=32)


def rounded(numbers, digits=8):
    return [float(f"{n:.{digits}g}") for n in numbers]


def data():
    torch.manual_seed(5)
    ids = torch.zeros(12, 12, dtype=torch.long)
    for row in range(12):
        length = 12 - row % 6
        ids[row, :length] = torch.randint(1, 16, (length,))
    return ids, torch.randint(0, 10, (12,))


def network():
    torch.manual_seed(6)
    return Classifier(**SIZES, dropout=0.0, activation="relu", learned=False).train()


def train(dtype, ids, labels):
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    scaler = torch.amp.GradScaler("cpu", enabled=dtype == torch.float16)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            loss = F.cross_entropy(net(ids, ids != 0).float(), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return {"losses": rounded(losses), "scale": scaler.get_scale()}


def scales():
    """The scale after each update: growth every 3 steps, with gradients that are not finite at some."""
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    overflows = [False, True, False, False, False, False, True, True, False, False, False, False, False, False]
    out = []
    for overflow in overflows:
        optimizer.zero_grad()
        scaler.scale((parameter * (float("inf") if overflow else 0.5)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        out.append({"overflow": overflow, "state": scaler.state_dict(), "parameter": parameter.tolist()})
    return out


ids, labels = data()
start = {name: in_our_layout(name, value) for name, value in network().named().items()}
content = {
    "torch": torch.__version__.split("+")[0],
    "config": {
        "vocabularySize": 16, "classes": 10, "maxLength": 12, "features": 16, "heads": 2, "layers": 2, "hidden": 32,
        "dropout": 0, "activation": "relu", "positions": "sinusoidal",
    },
    "learningRate": 2e-3,
    "sequences": [row[row != 0].tolist() for row in ids],
    "labels": labels.tolist(),
    "parameters": {
        name: {"shape": list(value.shape), "values": rounded(value.flatten().tolist())} for name, value in start.items()
    },
    "runs": {
        "float32": train(None, ids, labels),
        "bfloat16": train(torch.bfloat16, ids, labels),
        "float16": train(torch.float16, ids, labels),
    },
    "scales": scales(),
}
path = Path(__file__).parents[2] / "test/amp/fixtures/transformer.json"
path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
for name, run in content["runs"].items():
    print(name, run["losses"][0], run["losses"][-1], run["scale"])
