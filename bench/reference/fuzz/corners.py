"""Programs that meet the rows of docs/numbers.md which chance meets seldom: one of each in every sample."""

import math

import torch

from answers import Case
from elementwise import common, numeric
from values import Array


def row(*values):
    return Array("f", [len(values)], [float(x) for x in values])


def corners():
    """Cases with the storage of each."""
    big, inf = 2.0**126, math.inf
    floor_divide = lambda a, b: torch.floor_divide(*common(a, b, 1))
    remainder = lambda a, b: torch.remainder(*common(a, b, 1))
    product = lambda x, *_: torch.prod(x, 0)
    yield "float32", Case("floorDiv", [row(-1, 4), row(1e38, -1e38)], floor_divide, exact=True)
    yield "float32", Case("floorDiv", [row(inf), row(2)], floor_divide, exact=True)
    yield "float32", Case("mod", [row(-4, 4), row(big, -big)], remainder, exact=True)
    yield "float32", Case("mod", [row(-4, 4), row(inf, -inf)], remainder, exact=True, gradient=True)
    yield "float32", Case("mod", [row(-4.5, 4), row(-1.5, 2)], remainder, exact=True)
    yield "float16", Case("relu", [row(-0.0, -inf)], torch.relu, exact=True)
    yield "bfloat16", Case("logSoftmax", [Array("f", [2, 3], [-2, 3.25, -4, 3.875, -3.5, -1]), 0],
                          lambda x, a: torch.log_softmax(x, a), gradient=True)  # fmt: skip
    yield "float16", Case("square", [row(1, 2, 3, 4, -60000)], lambda x: x * x, exact=True, gradient=True)
    yield "float32", Case("mod", [row(0.625, 1), row(-big, 2)], remainder, exact=True, gradient=True)
    yield "float32", Case("mul", [Array("f", [1], [1.0]), row(3, 3, big, 3, 3, 3, 3, big, 3, 3, 8, 3, 3, 3, 3, 3)], torch.mul, gradient=True)
    yield "float32", Case("mul", [Array("f", [1], [1.0]), Array("f", [0], [])], torch.mul, gradient=True)
    yield "float32", Case("binaryCrossEntropy", [row(70), row(1)], lambda x, t: torch.logaddexp(-x, x * 0).mean())
    yield "float64", Case("crossEntropy", [Array("f", [1, 3], [-2.5, 1.5, 0.25]), Array("i", [1], [1]), {"labelSmoothing": 0.125}],
                          lambda x, i, _: torch.nn.functional.cross_entropy(x, i.long(), label_smoothing=0.125),
                          gradient=True)  # fmt: skip
    yield "float64", Case("erf", [row(inf, -inf, math.nan, 1)], torch.erf, gradient=True)
    yield "float64", Case("silu", [row(29, -28, 14)], torch.nn.functional.silu, gradient=True)
    yield "float32", Case("einsum", ["bii->bi", Array("f", [3, 0, 0], [])], lambda p, x: torch.einsum(p, x))
    yield "float64", Case("exp", [row(92, -1)], torch.exp, gradient=True)
    yield "float32", Case("prod", [row(math.nan)], product, gradient=True)
    yield "float32", Case("prod", [row(inf, -inf)], product, gradient=True)
    yield "float32", Case("prod", [row(big, big, 2.0**-126)], product, gradient=True)
    yield "float32", Case("einsum", ["ij,jk,kl->il", Array("f", [3, 0], []), Array("f", [0, 2], []), Array("f", [2, 3], [3, 1.625, -0.5, 3, 1.5, 0.875])],
                          lambda p, *xs: torch.einsum(p, *xs), gradient=True)  # fmt: skip
    yield "float16", Case("prod", [Array("f", [2, 2], [300.0] * 4), [0, 1]], lambda x, *_: torch.prod(torch.prod(x, 0), 0), gradient=True)
    yield "float32", Case("matmul", [row(big, big, -big), row(4, -4, 1)], torch.matmul, gradient=True)
    yield "float32", Case("matmul", [row(big, -big, 1), row(4, 4, 1)], torch.matmul, gradient=True)
    yield "float32", Case("einsum", ["i,ij,j->", row(-inf), Array("f", [1, 2], [2.875, -2.75]), row(-2, -0.875)],
                          lambda _, a, b, c: torch.einsum("i,ij,j->", a, b, c), gradient=True)  # fmt: skip
    yield "float32", Case("div", [row(1, 2), Array("f", [1], [0.0])], torch.div, gradient=True)
    yield "float32", Case("std", [row(big, 1)], lambda x: torch.std(x), gradient=True)
    yield "float32", Case("variance", [Array("f", [1, 2], [2.5, 2.5]), 0, {"correction": 2}],
                          lambda x, *_: torch.var(x, 0, correction=2), gradient=True)  # fmt: skip
    yield "float32", Case("abs", [row(math.nan, 1)], lambda x: torch.abs(numeric(x)), exact=True, gradient=True)
    yield "float32", Case("log", [row(2.0**-130, 1)], torch.log, gradient=True)
    yield "float32", Case("tanh", [row(4.25, 4.75, 3.875, 4.5)], torch.tanh, gradient=True)
