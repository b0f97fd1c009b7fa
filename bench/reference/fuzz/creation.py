"""Tensors from nothing and from arrays, and arrays from tensors."""

import numpy as np
import torch

from answers import Case, context
from registry import maker
from values import Array

KINDS = {"float32": None, "int32": torch.int32, "bool": torch.bool}
# What comes of no tensor is float32 in every storage.
AS_IS = {"asIs": 1}


def kind_of(dtype):
    return KINDS[dtype] or context.dtype


@maker("zeros", "ones", "full")
def filled(source, op):
    shape = source.shape()
    dtype = source.choice(["float32", "int32", "bool"])
    value = {"zeros": 0, "ones": 1}.get(op, source.choice([0, 1]) if dtype == "bool" else source.between(-3, 3))
    args = [shape, *([value] if op == "full" else []), dtype]
    return Case(op, args, lambda *_: torch.full(shape, value).to(kind_of(dtype)), exact=True, more=AS_IS)


@maker("zerosLike", "onesLike")
def like(source, op):
    f = torch.zeros_like if op == "zerosLike" else torch.ones_like
    return Case(op, [source.any(source.shape())], f, exact=True)


@maker("arange")
def arange(source, op):
    if source.chance(0.3):
        stop = source.between(0, 8)
        return Case(op, [stop], lambda stop: torch.arange(stop, dtype=torch.int32), exact=True, more=AS_IS)
    whole = source.chance(0.5)
    start, step = source.between(-4, 4), source.choice([1, 2, -1, -3] if whole else [0.5, 0.25, -0.75])
    stop = start + step * source.between(0, 6)
    kind = lambda: torch.int32 if whole else context.dtype
    return Case(op, [start, stop, step], lambda a, b, s: torch.tensor(np.arange(a, b, s), dtype=kind()), exact=True,
                more=AS_IS)  # fmt: skip


@maker("linspace")
def linspace(source, op):
    a, b, count = source.between(-4, 4), source.between(-4, 4), source.between(0, 7)
    reference = lambda a, b, n: torch.tensor(np.linspace(a, b, n), dtype=context.dtype)
    return Case(op, [a, b, count], reference, more=AS_IS)


@maker("eye")
def eye(source, op):
    return Case(op, [source.between(0, 4)], lambda n: torch.eye(n, dtype=context.dtype), exact=True, more=AS_IS)


@maker("tensor")
def tensor(source, op):
    shape = source.shape(least=1)
    x = source.any(shape, "fib", 0)
    dtype = {"f": "float32", "i": "int32", "b": "bool"}[x.kind]
    values = x.numpy()
    nested = values.tolist()
    kinds = {"f": torch.float32, "i": torch.int32, "b": torch.bool}
    if source.chance(0.5):
        args = [values.reshape(-1).tolist(), {"dtype": dtype, "shape": shape}]
    else:
        args = [nested, {"dtype": dtype}]
    return Case(op, args, lambda *_: torch.tensor(values).to(kind_of(dtype)), exact=True, more=AS_IS)


@maker("item")
def item(source, op):
    x = source.any([1] * source.between(0, 3), wild=0.5)
    return Case(op, [x], lambda x: x.reshape([]), exact=True, more={"plain": 1})


@maker("toArray", "toTyped")
def to_array(source, op):
    return Case(op, [source.any(source.shape(least=1), wild=0.5)], lambda x: x.clone(), exact=True, more={"plain": 1})


@maker("to")
def to(source, op):
    x = source.floats(source.shape(), source.choice(["plain", "wild"]))
    storage = source.choice(["float16", "bfloat16", "float32", "float64"])
    kinds = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
    # Read back as float32.
    reference = lambda x, _: x.to(torch.float32).to(kinds[storage]).to(torch.float32).to(context.dtype)
    return Case(op, [x, storage], reference, exact=True, more=AS_IS)
