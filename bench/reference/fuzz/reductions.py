"""What makes fewer elements of many, and running sums."""

import math

import torch

from answers import Case, fl
from registry import maker
from values import UNDEFINED
from elementwise import numeric


def options(source, **more):
    """{ keepDims } or nothing; and whether it is set."""
    keep = source.chance(0.4)
    chosen = {**({"keepDims": True} if keep else {}), **more}
    return ([chosen] if chosen else []), keep


def reduced(f, x, axes, keep):
    """`f(x, dims, keep)`, where no axis at all leaves the tensor as it is."""
    return f(x, axes, keep) if axes else x.clone()


def product(x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis, keepdim=keep)
    return x


SUMS = {
    "sum": lambda x, axes, keep: torch.sum(x, axes, keepdim=keep, dtype=x.dtype),
    "mean": lambda x, axes, keep: torch.mean(x, axes, keepdim=keep),
    "prod": product,
}


@maker(*SUMS)
def sums(source, op):
    shape = source.shape(most=36)
    x = source.any(shape, "fffib")
    axis, axes = source.axes(len(shape))
    more, keep = options(source)
    cast = fl if op == "mean" else numeric

    def reference(x, *_):
        y = reduced(SUMS[op], cast(x), axes, keep)
        return y if y.is_floating_point() else y.to(torch.int32)

    return Case(op, [x, axis, *more], reference, gradient=x.kind == "f")


@maker("max", "min")
def extremes(source, op):
    shape = source.shape(least=1)
    kind = source.choice(["f", "f", "f", "i", "b"])
    if kind == "f":
        x = source.floats(shape, source.choice(["distinct", "distinct", "wild"]))
    else:
        x = source.ints(shape) if kind == "i" else source.bools(shape)
    axis, axes = source.axes(len(shape))
    more, keep = options(source)
    f = torch.amax if op == "max" else torch.amin
    reference = lambda x, *_: reduced(f, numeric(x), axes, keep)
    return Case(op, [x, axis, *more], reference, exact=True, gradient=x.kind == "f")


@maker("any", "all")
def logical(source, op):
    shape = source.shape()
    x = source.any(shape, "bbbfi", wild=0.5)
    axis, axes = source.axes(len(shape))
    more, keep = options(source)
    f = torch.any if op == "any" else torch.all
    # Several axes at once are not in every PyTorch.
    def reference(x, *_):
        x = x.to(torch.bool)
        for place in sorted(axes, reverse=True):
            x = f(x, dim=place, keepdim=keep)
        return x
    return Case(op, [x, axis, *more], reference, exact=True)


@maker("variance", "std")
def spread(source, op):
    shape = source.shape()
    x = source.any(shape, "ffffi", wild=0.1)
    if x.kind == "f" and source.chance(0.15):
        x.values = [source.choice([2.5, 40.0])] * len(x.values)
    axis, axes = source.axes(len(shape))
    correction = source.choice([None, 0, 1, 2])
    more, keep = options(source, **({} if correction is None else {"correction": correction}))
    f = torch.var if op == "variance" else torch.std
    def reference(x, *_):
        return f(fl(x), dim=axes if axes else None, keepdim=keep, correction=1 if correction is None else correction)
    return Case(op, [x, axis, *more], reference, gradient=x.kind == "f")


@maker("norm")
def norm(source, op):
    shape = source.shape(least=1 if source.chance(0.8) else None)
    x = source.any(shape, "ffffi", wild=0.15)
    axis, axes = source.axes(len(shape))
    order = source.choice([None, 1, 2, math.inf])
    if order == math.inf and 0 in shape:
        order = 2
    if order == math.inf and x.kind == "f" and source.chance(0.8):
        x = source.floats(shape, "positive")
    more, keep = options(source, **({} if order is None else {"order": float(order) if order == math.inf else order}))
    def reference(x, *_):
        return torch.linalg.vector_norm(fl(x), order or 2, axes if axes else None, keepdim=keep and bool(axes))
    return Case(op, [x, axis, *more], reference, gradient=x.kind == "f")


@maker("logSumExp")
def log_sum_exp(source, op):
    shape = source.shape(least=1)
    x = source.any(shape, "ffffi", wild=0.25)
    if x.kind == "f" and source.chance(0.2):
        x = source.floats(shape, "large")
    axis, axes = source.axes(len(shape))
    more, keep = options(source)
    reference = lambda x, *_: torch.logsumexp(fl(x), axes if axes else 0, keepdim=keep and bool(axes))
    return Case(op, [x, axis, *more], reference, gradient=x.kind == "f")


@maker("argMax", "argMin")
def arg(source, op):
    shape = source.shape(low=1, least=1)
    kind = source.choice("ffffib")
    x = source.floats(shape, source.choice(["distinct", "wild", "plain"])) if kind == "f" else source.any(shape, kind)
    axis = source.axis(len(shape))
    if source.chance(0.3):
        axis = -1
    f = torch.argmax if op == "argMax" else torch.argmin

    def reference(x, axis=-1):
        # The first of equal ones, NaN before all: NumPy's rule, which PyTorch keeps for one axis on a CPU.
        return f(numeric(x).to(torch.float64), dim=axis)

    return Case(op, [x] if axis == -1 else [x, axis], reference, exact=True)


@maker("cumsum")
def cumsum(source, op):
    shape = source.shape(low=1)
    x = source.any(shape, "fffib")
    axis = source.axis(len(shape))
    more = {key: True for key in ("exclusive", "reverse") if source.chance(0.4)}

    def reference(x, *_):
        x = numeric(x)
        kind = x.dtype
        if more.get("reverse"):
            x = torch.flip(x, [axis])
        y = torch.cumsum(x, axis, dtype=kind)
        if more.get("exclusive"):
            first = torch.zeros_like(y.narrow(axis, 0, min(1, y.shape[axis])))
            y = torch.cat([first, y.narrow(axis, 0, max(0, y.shape[axis] - 1))], axis)
        return torch.flip(y, [axis]) if more.get("reverse") else y

    return Case(op, [x, axis, *([more] if more else [])], reference, gradient=x.kind == "f")


@maker("size")
def count(source, op):
    shape = source.shape()
    return Case(op, [source.any(shape)], lambda x: torch.tensor(x.numel(), dtype=torch.int32), exact=True,
                more={"plain": 1})  # fmt: skip
