"""Writes test/nn/fixtures/attention.json: torch's scaled_dot_product_attention and its gradients.

    pip install torch numpy
    python bench/reference/attention.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

FILE = Path(__file__).parents[2] / "test/nn/fixtures/attention.json"


def array(tensor):
    numbers = tensor.detach().double().flatten().tolist()
    return {"shape": list(tensor.shape), "values": [float(f"{n:.8g}") for n in numbers]}


def case(name, q, k, v, mask=None, causal=False, scale=None, grouped=False):
    inputs = [x.requires_grad_() for x in (q, k, v)]
    bias = mask is not None and mask.dtype.is_floating_point
    if bias:
        inputs.append(mask.requires_grad_())
    full = mask
    if causal and mask is not None:
        sees = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril()
        full = mask.masked_fill(~sees, -torch.inf) if bias else mask & sees
    y = F.scaled_dot_product_attention(
        q, k, v, attn_mask=full, is_causal=causal and mask is None, scale=scale, enable_gqa=grouped
    )
    dy = torch.randn_like(y)
    y.backward(dy)
    return {
        "name": name,
        "inputs": [array(x) for x in (q, k, v)],
        "mask": None if mask is None else {**array(mask.float()), "bool": not bias},
        "isCausal": causal,
        "scale": scale,
        "output": array(y),
        "outputGradient": array(dy),
        "inputGradients": [array(x.grad) for x in inputs],
    }


torch.manual_seed(16)
r = torch.randn
some = torch.rand(2, 1, 5, 4) < 0.6
some[0, 0, 1] = False
padding = torch.tensor([[True, True, False, False], [True, True, True, True]])[:, None, None]
cases = [
    case("queries and keys of one length", r(2, 3, 5, 4), r(2, 3, 5, 4), r(2, 3, 5, 4)),
    case("more queries than keys, and wider values", r(2, 2, 5, 4), r(2, 2, 3, 4), r(2, 2, 3, 6)),
    case("causal", r(2, 2, 5, 4), r(2, 2, 5, 4), r(2, 2, 5, 4), causal=True),
    case("causal with fewer queries than keys", r(1, 2, 3, 4), r(1, 2, 6, 4), r(1, 2, 6, 4), causal=True),
    case("a boolean mask of padding", r(2, 2, 5, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=padding),
    case("a boolean mask with a row that sees nothing", r(2, 2, 5, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=some),
    case("a bias of each head", r(2, 2, 5, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=r(1, 2, 5, 4)),
    case("causal with a boolean mask", r(2, 2, 4, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=padding, causal=True),
    case("causal with a bias", r(2, 2, 4, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=r(4, 4), causal=True),
    case("grouped keys and values", r(2, 6, 5, 4), r(2, 2, 4, 4), r(2, 2, 4, 4), mask=some, grouped=True),
    case("one head of keys and values", r(2, 3, 5, 4), r(2, 1, 5, 4), r(2, 1, 5, 4), causal=True, grouped=True),
    case("a scale of its own", r(1, 2, 3, 4), r(1, 2, 3, 4), r(1, 2, 3, 4), scale=0.3),
]
text = json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}, separators=(",", ":"))
FILE.write_text(text + "\n")
print(f"{FILE.name} {len(text):,} bytes")
