"""
Outputs, final states and gradients of PyTorch's LSTM and GRU, batch first, with our names and weights [in, out]:

    python bench/reference/recurrent.py test/nn/layers/fixtures/recurrent.json
"""

import json
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(0)
OURS = {"weight_ih": "inputWeight", "weight_hh": "hiddenWeight", "bias_ih": "inputBias", "bias_hh": "hiddenBias"}


def array(x):
    x = x.detach().contiguous()
    return {"shape": list(x.shape), "values": [float(f"{value:.9g}") for value in x.flatten().tolist()]}


def path(name, options):
    """weight_ih_l1_reverse is 1.backward.inputWeight; one layer or one direction has no name of its own."""
    kind, rest = name.split("_l")
    layer, _, reverse = rest.partition("_")
    parts = [layer] if options.get("layers", 1) > 1 else []
    if options.get("bidirectional"):
        parts.append("backward" if reverse else "forward")
    return ".".join([*parts, OURS[kind]])


def ours(name, value):
    return array(value.t() if "weight" in name else value)


def case(kind, options, lengths=None, given_state=False):
    layers, both = options.get("layers", 1), options.get("bidirectional", False)
    net = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](
        options["in"], options["hidden"], layers, options.get("bias", True), True, 0, both
    )
    names = ["hidden", "cell"] if kind == "lstm" else ["hidden"]
    batch, time = 3, 5
    x = torch.randn(batch, time, options["in"], requires_grad=True)
    count = layers * (2 if both else 1)
    before = [torch.randn(count, batch, options["hidden"], requires_grad=True) for _ in names] if given_state else []
    state = (tuple(before) if kind == "lstm" else before[0]) if given_state else None
    if lengths:
        packed, after = net(pack_padded_sequence(x, lengths, True, False), state)
        outputs, _ = pad_packed_sequence(packed, True, 0, time)
    else:
        outputs, after = net(x, state)
    after = list(after) if kind == "lstm" else [after]
    found = [outputs, *after]
    slopes = [torch.randn_like(value) for value in found]
    leaves = dict(net.named_parameters())
    gradients = torch.autograd.grad(sum((a * b).sum() for a, b in zip(found, slopes)), [x, *before, *leaves.values()])
    ofParameters = gradients[1 + len(before) :]
    return {
        "layer": kind,
        "options": options,
        "lengths": lengths,
        "parameters": {path(key, options): ours(key, value) for key, value in leaves.items()},
        "x": array(x),
        "state": dict(zip(names, map(array, before))) if before else None,
        "outputs": array(outputs),
        "after": dict(zip(names, map(array, after))),
        "slopes": {"outputs": array(slopes[0]), **dict(zip(names, map(array, slopes[1:])))},
        "dx": array(gradients[0]),
        "dState": dict(zip(names, map(array, gradients[1:]))) if before else None,
        "gradients": {path(key, options): ours(key, value) for key, value in zip(leaves, ofParameters)},
    }


cases = [
    make
    for kind in ("lstm", "gru")
    for make in [
        case(kind, {"in": 4, "hidden": 3}),
        case(kind, {"in": 4, "hidden": 3, "bias": False}, [5, 2, 3], True),
        case(kind, {"in": 2, "hidden": 3, "bidirectional": True}, [3, 5, 1]),
        case(kind, {"in": 2, "hidden": 3, "layers": 2}, None, True),
        case(kind, {"in": 3, "hidden": 2, "layers": 2, "bidirectional": True}, [4, 1, 5], True),
    ]
]
with open(sys.argv[1], "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
