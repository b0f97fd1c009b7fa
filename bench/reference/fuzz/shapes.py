"""The inverse and hyperbolic functions, further activations, triangles and diagonals, rolls and grids."""

import math

import torch
import torch.nn.functional as F

from answers import Case, fl
from elementwise import common, numeric
from registry import maker
from values import Array

FLOAT = {
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "atan": torch.atan,
    "asinh": torch.asinh,
    "log2": torch.log2,
    "log10": torch.log10,
    "selu": F.selu,
    "mish": F.mish,
    "logSigmoid": lambda x: -torch.logaddexp(-x, torch.zeros_like(x)),
    # PyTorch's gradient of doubles has 1 / 6 as a float32.
    "hardsigmoid": lambda x: torch.clamp(x + 3, 0, 6) / 6,
    "hardswish": F.hardswish,
}
# What is defined on a part of the line.
UNIT = {"asin": torch.asin, "acos": torch.acos, "atanh": torch.atanh}


@maker(*FLOAT)
def float_unary(source, op):
    kind = source.choice(["plain", "plain", "positive", "unit", "wild"])
    x = source.floats(source.shape(), kind) if source.chance(0.85) else source.any(source.shape(), "ib")
    return Case(op, [x], lambda x: FLOAT[op](fl(x)), gradient=x.kind == "f")


@maker(*UNIT)
def unit(source, op):
    x = source.floats(source.shape(), source.choice(["unit", "unit", "unit", "plain"]))
    return Case(op, [x], lambda x: UNIT[op](x), gradient=True)


@maker("acosh")
def acosh(source, op):
    x = source.floats(source.shape(), "positive")
    x.values = [value + 1.0 for value in x.values]
    return Case(op, [x], lambda x: torch.acosh(x), gradient=True)


@maker("trunc")
def trunc(source, op):
    x = source.any(source.shape(), "fffib")
    return Case(op, [x], lambda x: torch.trunc(fl(x)), exact=True, gradient=x.kind == "f")


@maker("atan2", "hypot")
def two(source, op):
    s, t = source.broadcast()
    a, b = source.any(s, "ffffi", 0), source.any(t, "ffffi", 0)
    if op == "hypot" and source.chance(0.2):
        a = source.choice([1.5, -2, 3])
    f = torch.atan2 if op == "atan2" else torch.hypot
    smooth = all(not hasattr(x, "kind") or (x.kind == "f" and 0 not in x.values) for x in (a, b))
    return Case(op, [a, b], lambda a, b: f(*common(a, b, 2)), gradient=smooth)


@maker("elu")
def elu(source, op):
    alpha = source.choice([None, 0.5, 2])
    x = source.any(source.shape(), "fffi")
    args = [x] if alpha is None else [x, alpha]
    return Case(op, args, lambda x, *_: F.elu(fl(x), alpha or 1.0), gradient=x.kind == "f")


@maker("prelu")
def prelu(source, op):
    shape = source.shape(low=1)
    x = source.any(shape, "f")
    slope = source.floats(source.choice([[], [shape[-1]]]), "unit")
    return Case(op, [x, slope], lambda x, w: torch.where(x > 0, x, w * x), gradient=True)


@maker("tril", "triu")
def triangle(source, op):
    x = source.any(source.shape(low=2))
    f = torch.tril if op == "tril" else torch.triu
    offset = source.choice([None, 0, 1, -1, 2, -3])
    return Case(op, [x] if offset is None else [x, offset], lambda x, o=0: f(x, o), exact=True, gradient=x.kind == "f")


@maker("diagonal")
def diagonal(source, op):
    x = source.any(source.shape(low=2))
    # PyTorch has no diagonal further out than the corner.
    rows, columns = x.shape[-2:]
    offset = source.between(-rows, columns)
    return Case(op, [x] if offset == 0 else [x, offset], lambda x, o=0: torch.diagonal(x, o, -2, -1), exact=True,
                gradient=x.kind == "f")  # fmt: skip


@maker("diagEmbed")
def diag_embed(source, op):
    x = source.any(source.shape(low=1, high=3, most=12))
    offset = source.choice([None, 0, 1, -2])
    return Case(op, [x] if offset is None else [x, offset], lambda x, o=0: torch.diag_embed(x, o), exact=True,
                gradient=x.kind == "f")  # fmt: skip


@maker("trace")
def trace(source, op):
    x = source.any(source.shape(low=2), wild=0)
    def reference(x):
        y = torch.diagonal(numeric(x), 0, -2, -1).sum(-1)
        return y if y.is_floating_point() else y.to(torch.int32)
    return Case(op, [x], reference, gradient=x.kind == "f")


@maker("outer")
def outer(source, op):
    a, b = source.any([source.between(0, 5)], "ffi"), source.any([source.between(0, 5)], "ffi")
    return Case(op, [a, b], lambda a, b: torch.outer(*common(a, b, 1)), gradient=True)


@maker("roll")
def roll(source, op):
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    x = source.any(shape)
    shift = source.between(-7, 7)
    args = [x, shift] if axis == -1 else [x, shift, axis]
    return Case(op, args, lambda x, *_: torch.roll(x, shift, axis), exact=True, gradient=x.kind == "f")


@maker("tile")
def tile(source, op):
    x = source.any(source.shape(most=12))
    counts = [source.between(0, 3) for _ in x.shape]
    # A sum of repeated elements.
    return Case(op, [x, counts], lambda x, c: x.repeat(c) if c else x.clone(), exact=True, gradient=x.kind == "f")


@maker("meshgrid")
def meshgrid(source, op):
    kind = source.choice("ffib")
    xs = [source.any([source.between(0, 4)], kind) for _ in range(source.between(1, 3))]
    return Case(op, xs, lambda *xs: list(torch.meshgrid(*xs, indexing="ij")), exact=True,
                gradient=all(x.kind == "f" for x in xs))  # fmt: skip


@maker("cumprod")
def cumprod(source, op):
    shape = source.shape(low=1)
    x = source.any(shape, "fffib", wild=0)
    axis = source.axis(len(shape))
    reference = lambda x, *_: torch.cumprod(numeric(x), axis, dtype=numeric(x).dtype)
    return Case(op, [x] if axis == -1 else [x, axis], reference, gradient=x.kind == "f")


@maker("refusals")
def refusals(source, _):
    f = source.floats
    refusal = lambda op, *args: Case(op, list(args), refused=True)
    return source.choice([
        lambda: refusal(source.choice(["tril", "triu", "diagonal", "trace"]), f([3])),
        lambda: refusal(source.choice(["tril", "triu", "diagonal"]), f([3, 3]), 0.5),
        lambda: refusal("outer", f([2, 2]), f([2])),
        lambda: refusal("diagEmbed", f([])),
        lambda: refusal(source.choice(["atan2", "hypot"]), f([2, 3]), f([2])),
        lambda: refusal("roll", f([2, 3]), 0.5),
        lambda: refusal("roll", f([2, 3]), 1, 2),
        lambda: refusal("tile", f([2, 3]), source.choice([[2], [1, -1], [1, 1, 1]])),
        lambda: refusal("meshgrid", f([2]), f([2, 2])),
        lambda: refusal("cumprod", f([2]), 1),
        lambda: refusal("cumprod", source.ints([2, 3, 4], 2000, 3000)),
    ])()


def corners():
    """Programs that meet the rows of docs/numbers.md about activations: one of each in every sample."""
    column = lambda *values: Array("f", [len(values)], [float(x) for x in values])
    yield "float32", Case("selu", [column(math.nan, 1)], F.selu, gradient=True)
    yield "float32", Case("hardswish", [column(1e38, 1)], F.hardswish)
