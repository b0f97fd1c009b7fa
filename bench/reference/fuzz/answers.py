"""
From a case (an op, its arguments, a function of PyTorch) to a program with its answer.

The answer is PyTorch's in float64, rounded to the storage; where PyTorch at the storage's own precision gives infinity or NaN and
float64 does not (or the other way), it is that. Beside a number stands the exponent `c` of a power of two: the largest of the number, of
how much a relative change of the inputs changes it, and of how many units in the last place PyTorch's own answers in the storage's type
are off, for these inputs and some nearby. The runner allows a few units in the last place of that: an answer is right when inputs a few units away would give it, or when
it is about as good as PyTorch's.
"""

import math
from dataclasses import dataclass, field
from typing import Callable

import numpy as np
import torch

from values import Array, Undefined, encoded, number

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64}
DIGITS = {"float32": 9, "float16": 6, "bfloat16": 5, "float64": 17}
KIND = {torch.int32: "i", torch.int64: "i", torch.bool: "b"}
LAST_PLACE = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7, "float64": 2.0**-52}
# How far away the inputs are taken too: a little, for the slope; some units in the last place, for PyTorch's own error.
STEP = 2.0**-22
UNITS = 4
ROUNDS = 3


@dataclass
class Case:
    op: str
    args: list
    #: Of the arguments, tensors as PyTorch's; gives a tensor or a list of them (None where any answer is right).
    reference: Callable = None
    #: Its float results are elements of its inputs or chosen numbers: they must be equal, -0 apart from 0.
    exact: bool = False
    gradient: bool = False
    #: The call must be refused, by an error that names the op.
    refused: bool = False
    #: The least scale of the numbers of results and of gradients, where a sum of large numbers may be 0 whatever the inputs.
    least: tuple = (0, 0)
    #: The scale of a number is at least the largest of its result or gradient: the error of a factorization is that of the whole matrix.
    normwise: bool = False
    more: dict = field(default_factory=dict)


def arrays(value):
    """The tensors among the arguments, in order."""
    if isinstance(value, Array):
        return [value]
    if isinstance(value, (list, tuple)):
        return [x for item in value for x in arrays(item)]
    if isinstance(value, dict):
        return [x for item in value.values() for x in arrays(item)]
    return []


def resolved(value, tensors):
    """The arguments with tensors in place of arrays."""
    if isinstance(value, Array):
        return next(tensors)
    if isinstance(value, (list, tuple)):
        return [resolved(x, tensors) for x in value]
    if isinstance(value, dict):
        return {key: resolved(x, tensors) for key, x in value.items()}
    return None if isinstance(value, Undefined) else value


def tensors_of(case, dtype, values=None):
    arrays_of = arrays(case.args)
    values = values or [array.numpy() for array in arrays_of]
    return [torch.tensor(v, dtype=dtype if a.kind == "f" else None) for a, v in zip(arrays_of, values)]


def nudged(case, source, step):
    """The arguments, floats a step away in proportion to their size."""
    near = []
    for array in arrays(case.args):
        values = array.numpy()
        if array.kind == "f":
            signs = np.array([source.choice([-1, 1]) for _ in array.values]).reshape(array.shape)
            values = values * (1 + step * signs)
        near.append(values)
    return near


def held(case, storage, values):
    """What the storage holds of float arguments."""
    return [rounded(torch.tensor(v), storage).numpy() if a.kind == "f" else v
            for a, v in zip(arrays(case.args), values)]  # fmt: skip


def cotangent(shape, j):
    """The gradient that reaches result j: the same numbers as in test/tensor/fuzz/run.ts."""
    count = math.prod(shape)
    flat = [((7 * i + 3 * j) % 8 - 3.5) / 4 for i in range(count)]
    return torch.tensor(flat, dtype=torch.float64).reshape(shape)


def evaluated(case, dtype, values=None, gradient=False):
    """Results and gradients of the float tensors, all detached."""
    inputs = tensors_of(case, dtype, values)
    floats = [x for x in inputs if x.is_floating_point()]
    if gradient:
        for x in floats:
            x.requires_grad_(True)
    context.dtype = dtype
    results = case.reference(*resolved(case.args, iter(inputs)))
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    slopes = []
    if gradient:
        terms = [(y * cotangent(y.shape, j).to(y.dtype)).sum()
                 for j, y in enumerate(results) if y is not None and y.requires_grad]
        if terms:
            slopes = torch.autograd.grad(sum(terms), floats, allow_unused=True)
        else:
            slopes = [None] * len(floats)
        slopes = [torch.zeros_like(x) if g is None else g for x, g in zip(floats, slopes)]
    return [y if y is None else y.detach() for y in results], slopes


class Context:
    """The float type of the evaluation under way, for references that make numbers."""

    dtype = torch.float64


context = Context()


def fl(x):
    """A tensor as floats, as the ops do that compute in float32 only."""
    return x if x.is_floating_point() else x.to(context.dtype)


def rounded(x, storage):
    return x.to(DTYPES[storage]).to(torch.float64)


def classes(x):
    return torch.where(x.isnan(), 2, torch.where(x.isinf(), torch.sign(x).to(torch.float64), torch.tensor(0.5).double()))


def written(wide, narrow, beside, own, storage, exact, least, normwise):
    """
    One result: what float64 gives and what the storage's type gives; what float64 gives a step away; and pairs of what
    both give for the same inputs.
    """
    if wide is None:
        return None
    shape = list(wide.shape)
    if not wide.is_floating_point():
        return {"t": KIND[wide.dtype], "s": shape, "v": [int(x) for x in wide.flatten().tolist()]}
    value = rounded(wide, storage)
    if narrow is not None and storage != "float64":
        value = torch.where(classes(narrow) == classes(value), value, narrow)
    digits = 17 if exact else DIGITS[storage]
    made = {"t": "f", "s": shape, "v": [number(x, digits) for x in value.flatten().tolist()]}
    if not exact:
        made["c"] = exponents(value, wide, beside, own, storage, largest(value, least) if normwise else least)
    return made


def largest(x, least):
    """The largest finite number of a tensor."""
    return max([least, *x[x.isfinite()].abs().flatten().tolist()])


def exponents(value, wide, beside, own, storage, least):
    magnitude = value.abs()
    scale = magnitude.clamp(min=least)
    unit = LAST_PLACE["float32" if storage == "float64" else storage]
    for other in beside:
        change = (other - wide).abs() / STEP
        # Across a jump of the function nothing is learnt of its slope.
        usable = change.isfinite() & (change < 2.0**16 * torch.clamp(magnitude, min=2.0**-10))
        scale = torch.where(usable, torch.maximum(scale, change), scale)
    for right, narrow in own:
        if narrow is not None:
            off = (narrow - right).abs()
            usable = off.isfinite() & (off < 2.0**-3 * torch.clamp(magnitude, min=1))
            scale = torch.where(usable, torch.maximum(scale, off / unit), scale)
    scale = torch.where(value.isfinite(), scale, torch.zeros_like(scale))
    found = [max(-200, math.ceil(math.log2(x))) if x > 0 else -200 for x in scale.flatten().tolist()]
    return found[0] if len(set(found)) == 1 else found


def at_storage(case, storage, values, gradient, like):
    """
    The answer of PyTorch at the storage's own precision; None where it lacks the op in that type. Of float64, whose own
    error nothing here tells, that of float32, which is off by as many units.
    """
    try:
        dtype = torch.float32 if storage == "float64" else DTYPES[storage]
        results, slopes = evaluated(case, dtype, values, gradient)
    except (RuntimeError, NotImplementedError):
        return [[None] * len(part) for part in like]
    wide = [[None if y is None else y.to(torch.float64) for y in part] for part in (results, slopes)]
    return wide


def program(case, storage, source):
    """The program as JSON."""
    made = {"op": case.op, "args": encoded(case.args), **case.more}
    floats = any(array.kind == "f" for array in arrays(case.args))
    if storage != "float32" and floats:
        made["st"] = storage
    if case.refused:
        made["refused"] = 1
        return made
    if not floats or "asIs" in case.more:
        storage = "float32"
    gradient = case.gradient and any(array.kind == "f" and array.values for array in arrays(case.args))
    wide = evaluated(case, torch.float64, gradient=gradient)
    narrow = at_storage(case, storage, None, gradient, wide)
    beside, own = [], [(wide, narrow)]
    for _ in range(0 if case.exact and not gradient else ROUNDS):
        beside.append(evaluated(case, torch.float64, nudged(case, source, STEP), gradient))
        like = "float32" if storage == "float64" else storage
        near = held(case, like, nudged(case, source, UNITS * LAST_PLACE[like]))
        own.append((evaluated(case, torch.float64, near, gradient), at_storage(case, storage, near, gradient, wide)))
    parts = []
    for part in (0, 1):
        parts.append([
            written(y, narrow[part][i], [b[part][i] for b in beside], [(w[part][i], n[part][i]) for w, n in own], storage,
                    case.exact and part == 0, case.least[part], case.normwise)
            for i, y in enumerate(wide[part])
        ])  # fmt: skip
    made["out"] = parts[0]
    if gradient:
        made["g"] = [{key: slope[key] for key in ("v", "c")} for slope in parts[1]]
    return made
