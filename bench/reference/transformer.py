"""Writes test/nn/fixtures/*.json: what PyTorch computes for the layers of src/nn and the optimizer of src/train.

    pip install torch numpy
    python bench/reference/transformer.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from model import Classifier, in_our_layout

FOLDER = Path(__file__).parents[2] / "test/nn/fixtures"


def array(tensor):
    tensor = tensor.detach().contiguous()
    numbers = tensor.flatten().tolist()
    if tensor.dtype.is_floating_point:
        numbers = [float(f"{n:.8g}") for n in numbers]
    return {"shape": list(tensor.shape), "values": numbers}


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"torch": torch.__version__.split("+")[0], **content}, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")
    print(f"{name}.json {len(text):,} bytes")


def model(name, seed, features, layers, activation, learned):
    torch.manual_seed(seed)
    size = dict(vocabulary=16, classes=10, length=9, features=features, heads=2, layers=layers, hidden=2 * features)
    net = Classifier(**size, dropout=0.0, activation=activation, learned=learned).train()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    lengths = [7, 4, 1]
    ids = torch.zeros(3, 7, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(1, 16, (length,))
    labels = torch.randint(0, 10, (3,))
    logits = net(ids, ids != 0)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    named = net.named()
    write(
        name,
        {
            "config": {
                "vocabularySize": 16,
                "classes": 10,
                "maxLength": 9,
                "features": features,
                "heads": 2,
                "layers": layers,
                "hidden": 2 * features,
                "dropout": 0,
                "activation": activation,
                "positions": "learned" if learned else "sinusoidal",
            },
            "sequences": [ids[row, :length].tolist() for row, length in enumerate(lengths)],
            "labels": labels.tolist(),
            "logits": array(logits),
            "loss": loss.item(),
            "parameters": {key: array(in_our_layout(key, value)) for key, value in named.items()},
            "gradients": {key: array(in_our_layout(key, value.grad)) for key, value in named.items()},
        },
    )


def operations():
    torch.manual_seed(3)

    def case(function, inputs):
        inputs = [x.requires_grad_() for x in inputs]
        y = function(*inputs)
        dy = torch.randn_like(y)
        y.backward(dy)
        return {
            "inputs": [array(x) for x in inputs],
            "output": array(y),
            "outputGradient": array(dy),
            "inputGradients": [array(x.grad) for x in inputs],
        }

    labels = torch.tensor([3, 0, 4, 4])
    write(
        "operations",
        {
            "layerNorm": case(
                lambda x, scale, offset: F.layer_norm(x, (6,), scale, offset),
                [3 * torch.randn(4, 6) + 1, torch.randn(6), torch.randn(6)],
            ),
            "gelu": case(F.gelu, [torch.cat([torch.linspace(-6, 6, 25), torch.randn(5)]).reshape(5, 6)]),
            "linearRelu": case(
                lambda x, w, b: F.relu(x @ w + b), [torch.randn(4, 6), torch.randn(6, 5), torch.randn(5)]
            ),
            "crossEntropy": {
                **case(lambda x: F.cross_entropy(x, labels), [5 * torch.randn(4, 5)]),
                "labels": labels.tolist(),
            },
        },
    )


def adamw():
    torch.manual_seed(4)
    start = [torch.randn(3, 2), torch.randn(4)]
    parameters = [torch.nn.Parameter(x.clone()) for x in start]
    options = dict(lr=0.01, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1)
    optimizer = torch.optim.AdamW(parameters, **options)
    steps = []
    for step in range(6):
        for i, parameter in enumerate(parameters):
            # The third step has no gradient at all, the others differ widely in size.
            parameter.grad = torch.randn_like(parameter) * 10.0 ** (step - 3) * (step != 2)
        gradients = [array(p.grad) for p in parameters]
        norm = torch.nn.utils.clip_grad_norm_(parameters, 2.0)
        clipped = [array(p.grad) for p in parameters]
        optimizer.step()
        steps.append(
            {
                "gradients": gradients,
                "norm": norm.item(),
                "clipped": clipped,
                "parameters": [array(p) for p in parameters],
            }
        )
    write("adamw", {"options": options, "clip": 2.0, "start": [array(x) for x in start], "steps": steps})


model("relu-sinusoidal", 1, features=16, layers=2, activation="relu", learned=False)
model("gelu-learned", 2, features=8, layers=1, activation="gelu", learned=True)
operations()
adamw()
