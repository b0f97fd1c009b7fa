"""Elements put and added at indices, order statistics, and counts."""

import numpy as np
import torch

from answers import Case, fl
from choosing import ordered
from elementwise import numeric
from registry import maker
from values import UNDEFINED, Array


def like(source, x, shape):
    return source.floats(shape) if x.kind == "f" else source.any(shape, x.kind)


@maker("scatter", "scatterAdd")
def scatter(source, op):
    shape = source.shape(low=1, least=1)
    axis = source.axis(len(shape))
    own = list(shape)
    # Of equal indices PyTorch says nothing: scatter gets different ones.
    own[axis] = source.between(0, shape[axis] if op == "scatter" else 4)
    size = shape[axis]
    x = source.any(shape, "fffi", wild=0.1)
    if op == "scatter":
        rows = [source.random.sample(range(size), own[axis]) for _ in range(int(np.prod(own)) // max(1, own[axis]))]
        last = np.array(rows, int).reshape([d for i, d in enumerate(own) if i != axis % len(own)] + [own[axis]])
        places = np.moveaxis(last, -1, axis % len(own)).flatten().tolist()
        indices = Array("i", own, [p - size if source.chance(0.2) else p for p in places])
    else:
        indices = source.ints(own, -size, size - 1)
    values = like(source, x, own) if source.chance(0.8) else source.choice([2, -3])

    def reference(x, i, v, a=-1):
        i = torch.remainder(i.long(), size)
        v = v if isinstance(v, torch.Tensor) else torch.full(i.shape, v, dtype=x.dtype)
        return x.scatter(a, i, v) if op == "scatter" else x.scatter_add(a, i, v)

    args = [x, indices, values, *([axis] if axis != -1 else [])]
    return Case(op, args, reference, exact=op == "scatter", gradient=x.kind == "f")


@maker("indexCopy", "indexAdd")
def by_slices(source, op):
    shape = source.shape(low=1, least=1)
    axis = source.axis(len(shape))
    size = shape[axis]
    count = source.between(0, size if op == "indexCopy" else 4)
    places = source.random.sample(range(size), count) if op == "indexCopy" else [source.between(-size, size - 1) for _ in range(count)]
    x = source.any(shape, "fffi", wild=0.1)
    own = list(shape)
    own[axis] = count
    values = like(source, x, own) if source.chance(0.8) else source.choice([2, -3])
    indices = places if source.chance(0.5) else Array("i", [count], places)

    def reference(x, i, v, a=0):
        i = i if isinstance(i, torch.Tensor) else torch.tensor(i, dtype=torch.int64)
        i = torch.remainder(i.long(), size)
        v = v if isinstance(v, torch.Tensor) else torch.full(own, v, dtype=x.dtype)
        return x.index_copy(a, i, v) if op == "indexCopy" else x.index_add(a, i, v)

    args = [x, indices, values, *([axis] if axis != 0 else [])]
    return Case(op, args, reference, exact=op == "indexCopy", gradient=x.kind == "f")


@maker("argSort")
def arg_sort(source, op):
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    direction = source.choice([UNDEFINED, "ascending", "descending"])
    x = source.floats(shape, "distinct")
    reference = lambda x, *_: torch.argsort(x, dim=axis, descending=direction == "descending")
    return Case(op, [x, direction] if axis == -1 else [x, direction, axis], reference, exact=True)


@maker("sort")
def sort(source, op):
    shape = source.shape(low=2)
    axis = source.axis(len(shape))
    direction = source.choice([UNDEFINED, "ascending", "descending"])
    x = source.floats(shape, "distinct")
    reference = lambda x, *_: list(torch.sort(x, dim=axis, descending=direction == "descending"))
    return Case(op, [x, direction, axis], reference, exact=True, gradient=True)


def sample(source, shape):
    """Distinct numbers, seldom with NaN."""
    x = source.floats(shape, "distinct")
    if x.values and source.chance(0.15):
        x.values[source.between(0, len(x.values) - 1)] = float("nan")
    return x


def rows_of(x, axes, rank):
    """The reduced axes as one at the end."""
    kept = [i for i in range(rank) if i not in axes]
    y = x.permute([*kept, *sorted(axes)])
    return y.reshape([*[x.shape[i] for i in kept], -1]), kept


def kept_shape(shape, axes, keep):
    return [1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes]


@maker("quantile")
def quantile(source, op):
    shape = source.shape(least=1)
    axis, axes = source.axes(len(shape))
    x = sample(source, shape)
    q = source.choice([0, 1, 0.5, 0.25, 0.75, 0.125, [0.25, 0.5], [0.5], []])
    more = {"keepDims": True} if source.chance(0.4) else {}
    kind = source.choice([None, "linear", "lower", "higher", "nearest", "midpoint"])
    if kind:
        more["interpolation"] = kind

    def reference(x, *_):
        rows, _kept = rows_of(x, axes, len(shape))
        left = kept_shape(shape, axes, "keepDims" in more)
        if q == []:
            return torch.zeros([0, *left], dtype=x.dtype) * x.sum()
        y = torch.quantile(rows.to(torch.float32) if rows.dtype in (torch.float16, torch.bfloat16) else rows,
                           torch.tensor(q, dtype=torch.float32 if rows.dtype != torch.float64 else torch.float64), -1,
                           interpolation=kind or "linear")  # fmt: skip
        return y.to(x.dtype).reshape([*([len(q)] if isinstance(q, list) else []), *left])

    return Case(op, [x, q, axis, *([more] if more else [])], reference, gradient=not any(v != v for v in x.values) and q != [])


@maker("median")
def median(source, op):
    shape = source.shape(least=1)
    axis, axes = source.axes(len(shape))
    x = sample(source, shape) if source.chance(0.8) else source.any(shape, "ib")
    more = [{"keepDims": True}] if source.chance(0.4) else []

    def reference(x, *_):
        rows, _kept = rows_of(numeric(x), axes, len(shape))
        values = torch.median(rows, -1).values if rows.dim() > 0 else rows
        return values.reshape(kept_shape(shape, axes, bool(more)))

    smooth = x.kind == "f" and not any(v != v for v in x.values)
    return Case(op, [x, axis, *more], reference, exact=True, gradient=smooth)


@maker("unique")
def unique(source, op):
    x = source.any(source.shape(), "fib", wild=0)
    x.values = [v + 0.0 if x.kind == "f" else v for v in x.values]

    def reference(x):
        values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
        return values, inverse.reshape(x.shape), counts

    return Case(op, [x], reference, exact=True)


@maker("bincount")
def bincount(source, op):
    shape = source.shape()
    x = source.ints(shape, 0, 6)
    weights = source.floats(shape) if source.chance(0.5) else None
    least = source.choice([None, 0, 4, 9])
    more = {**({} if weights is None else {"weights": weights}), **({} if least is None else {"minLength": least})}

    def reference(x, options=None):
        w = None if options is None else options.get("weights")
        length = max([least or 0, *(int(v) + 1 for v in x.flatten())])
        index = x.flatten().long()
        if w is None:
            return torch.zeros(length, dtype=torch.int32).index_add(0, index, torch.ones(index.shape, dtype=torch.int32))
        return torch.zeros(length, dtype=w.dtype).index_add(0, index, w.flatten())

    return Case(op, [x, *([more] if more else [])], reference, gradient=weights is not None)


@maker("histc")
def histc(source, op):
    x = source.any(source.shape(least=1), "fffi", wild=0)
    bins = source.choice([None, 1, 4, 8])
    more = source.choice([None, {"min": -2, "max": 2}, {"min": -4, "max": 4}])
    args = [x, *([bins] if bins else [UNDEFINED] if more else []), *([more] if more else [])]
    def reference(x, *_):
        return torch.histc(x.to(torch.float64), bins or 100, *(more.values() if more else [])).to(torch.float64)
    return Case(op, args, reference, exact=True, more={"asIs": 1})


@maker("searchSorted")
def search_sorted(source, op):
    if source.chance(0.5):
        sequence, values = source.floats([source.between(0, 6)]), source.any(source.shape(), "f", wild=0.3)
    else:
        shape = source.shape(low=2, least=1)
        sequence, values = source.floats(shape), source.floats([*shape[:-1], source.between(0, 4)])
    sequence.values = np.sort(sequence.numpy(), -1).flatten().tolist()
    side = source.choice([UNDEFINED, "left", "right"])
    def reference(s, v, _):
        return torch.searchsorted(s, v.contiguous(), side="left" if side is UNDEFINED else side).to(torch.int32)
    return Case(op, [sequence, values, side], reference, exact=True)


@maker("refusals")
def refusals(source, _):
    f, i = source.floats, source.ints
    refusal = lambda op, *args: Case(op, list(args), refused=True)
    both = source.choice(["scatter", "scatterAdd"])
    slices = source.choice(["indexCopy", "indexAdd"])
    return source.choice([
        lambda: refusal(both, f([2, 3]), i([2, 1], 3, 4), f([2, 1])),
        lambda: refusal(both, f([2, 3]), i([3, 1], 0, 1), f([3, 1])),
        lambda: refusal(both, f([2, 3]), i([2, 1], 0, 1), f([2, 2])),
        lambda: refusal(both, f([2, 3]), i([2, 1], 0, 1), i([2, 1])),
        lambda: refusal(both, f([2, 3]), f([2, 1]), f([2, 1])),
        lambda: refusal(slices, f([2, 3]), [2], f([1, 3])),
        lambda: refusal(slices, f([2, 3]), [0, 1], f([1, 3])),
        lambda: refusal(slices, f([2, 3]), i([1, 1], 0, 0), f([1, 3])),
        lambda: refusal(source.choice(["scatterAdd", "indexAdd"]), source.bools([2]), i([1], 0, 0), source.bools([1])),
        lambda: refusal("quantile", f([2, 3]), source.choice([-0.5, 1.5])),
        lambda: refusal(source.choice(["median"]), f([0, 3])),
        lambda: refusal("quantile", f([0, 3]), 0.5, 0),
        lambda: refusal("bincount", f([2])),
        lambda: refusal("bincount", i([2], -2, -1)),
        lambda: refusal("histc", f([2]), source.choice([0, 1.5])),
        lambda: refusal("searchSorted", f([2, 3]), f([3, 1])),
        lambda: refusal("argSort", f([2, 3]), UNDEFINED, 2),
    ])()
