"""What chooses elements: indices, places, conditions, order."""

import numpy as np
import torch

from answers import Case, context
from registry import maker
from values import UNDEFINED, Array


@maker("at")
def at(source, op):
    shape = source.shape(low=0)
    x = source.any(shape)
    indices, key = [], []
    dots = source.between(0, len(shape)) if source.chance(0.3) else None
    lists = 0
    skipped = False
    for axis, size in enumerate(shape):
        if dots == axis and not skipped:
            skipped = True
            left = source.between(0, len(shape) - axis)
            indices.append("...")
            key.append(Ellipsis)
            dots = axis + left
        if skipped and axis < dots:
            continue
        if source.chance(0.15):
            indices.append(None)
            key.append(None)
        p = source.random.random()
        if p < 0.3 and size > 0:
            place = source.between(-size, size - 1)
            indices.append(place)
            key.append(place)
        elif p < 0.42 and size > 0 and lists == 0:
            lists += 1
            places = [source.between(-size, size - 1) for _ in range(source.between(1, 3))]
            indices.append(Array("i", [len(places)], places) if source.chance(0.5) else places)
            key.append(("list", places))
        else:
            bounds = [source.between(-size - 1, size + 1) if source.chance(0.6) else None for _ in range(2)]
            step = source.choice([None, None, 1, 2, -1, -2, 3])
            text = f"{'' if bounds[0] is None else bounds[0]}:{'' if bounds[1] is None else bounds[1]}"
            indices.append(text if step is None else f"{text}:{step}")
            key.append(slice(bounds[0], bounds[1], step))

    def reference(x, *_):
        """One list beside numbers would be NumPy's advanced indexing; here each index is for its own axis."""
        places = torch.arange(x.numel()).reshape(x.shape).numpy()
        lists = [part for part in key if isinstance(part, tuple)]
        if lists:
            # The axes of places from the end on, so that those before stand where they stood.
            full = expand(key, x.dim())
            axis = x.dim()
            chosen = places
            for part in reversed([p for p in full if p is not None]):
                axis -= 1
                if isinstance(part, tuple):
                    chosen = np.take(chosen, [p % x.shape[axis] for p in part[1]], axis)
                elif isinstance(part, slice):
                    chosen = chosen[(slice(None),) * axis + (part,)]
                else:
                    chosen = np.take(chosen, [part % x.shape[axis]], axis)
            chosen = named_axes(chosen, full)
        else:
            chosen = places[tuple(key)]
        chosen = torch.from_numpy(np.array(chosen))
        return x.reshape(-1)[chosen.reshape(-1)].reshape(chosen.shape)

    return Case(op, [x, *indices], reference, exact=True, gradient=True)


def expand(key, rank):
    used = len([p for p in key if p is not None and p is not Ellipsis])
    rest = [slice(None)] * (rank - used)
    if Ellipsis not in key:
        return [*key, *rest]
    at = key.index(Ellipsis)
    return [*key[:at], *rest, *key[at + 1 :]]


def named_axes(chosen, full):
    """Takes away the axes of numbers, adds those of null."""
    shape, axis = [], 0
    for part in full:
        if part is None:
            shape.append(1)
            continue
        if isinstance(part, (slice, tuple)):
            shape.append(chosen.shape[axis])
        axis += 1
    return chosen.reshape(shape)


@maker("gather")
def gather(source, op):
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    size = shape[axis]
    if size == 0:
        places = Array("i", [0], [])
    elif source.chance(0.4):
        places = [source.between(-size, size - 1) for _ in range(source.between(0, 4))]
    else:
        places = source.ints(source.shape(high=2, most=6), -size, size - 1)

    def reference(x, indices, a=0):
        indices = indices if isinstance(indices, torch.Tensor) else torch.tensor(indices, dtype=torch.int32)
        flat = torch.remainder(indices.reshape(-1).long(), max(1, size))
        place = a % x.dim()
        taken = torch.index_select(x, place, flat)
        return taken.reshape([*x.shape[:place], *indices.shape, *x.shape[place + 1 :]])

    args = [source.any(shape), places, *([axis] if axis != 0 or source.chance(0.5) else [])]
    return Case(op, args, reference, exact=True, gradient=True)


@maker("gatherAlong")
def gather_along(source, op):
    shape = source.shape(low=1, least=1)
    axis = source.choice([-1, source.axis(len(shape))])
    own = list(shape)
    own[axis] = source.between(0, 3)
    indices = source.ints(own, -shape[axis], shape[axis] - 1)
    reference = lambda x, i, a=-1: torch.gather(x, a, torch.remainder(i.long(), shape[axis]))
    args = [source.any(shape), indices, *([axis] if axis != -1 or source.chance(0.5) else [])]
    return Case(op, args, reference, exact=True, gradient=True)


@maker("oneHot")
def one_hot(source, op):
    depth = source.between(1, 5)
    x = source.ints(source.shape(high=3, most=10), 0, depth - 1)
    reference = lambda x, d: torch.nn.functional.one_hot(x.long(), d).to(context.dtype)
    return Case(op, [x, depth], reference, exact=True, more={"asIs": 1})


@maker("where")
def where(source, op):
    wide, narrow = source.broadcast(most=24)
    third = source.choice([wide, narrow, []])
    kinds = source.choice(["f", "f", "i", "b", "fib"])
    condition = source.bools(third)
    a, b = source.any(wide, kinds), source.any(narrow, kinds)
    if source.chance(0.2):
        a = source.choice([0, 2, 0.5])
    elif source.chance(0.2):
        b = source.choice([0, -1, 1.5])

    def reference(c, a, b):
        tensors = [x for x in (a, b) if isinstance(x, torch.Tensor)]
        whole = all(not x.is_floating_point() for x in tensors)
        whole = whole and all(isinstance(x, torch.Tensor) or float(x).is_integer() for x in (a, b))
        if not whole:
            kind = context.dtype
        elif len(tensors) == 2 and all(x.dtype == torch.bool for x in tensors):
            kind = torch.bool
        else:
            kind = torch.int32
        a, b = [x.to(kind) if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=kind) for x in (a, b)]
        return torch.where(c, a, b)

    return Case(op, [condition, a, b], reference, exact=True, gradient=True)


def ordered(source, low=0):
    """Distinct numbers, or with ties, NaN, whole numbers, bools; and whether ties are impossible."""
    shape = source.shape(low=1, least=low)
    style = source.choice(["distinct", "distinct", "wild", "plain", "i", "b"])
    if style in ("i", "b"):
        return source.any(shape, style), False
    x = source.floats(shape, style)
    # -0 and 0 are equal, and stand in any order.
    x.values = [value + 0.0 for value in x.values]
    return x, style == "distinct"


@maker("sort")
def sort(source, op):
    x, distinct = ordered(source)
    direction = source.choice([UNDEFINED, "ascending", "descending"])

    def reference(x, *_):
        values, indices = torch.sort(x, dim=-1, descending=direction == "descending")
        return values, indices if distinct else None

    return Case(op, [x, direction], reference, exact=True, gradient=distinct)


@maker("topK")
def top_k(source, op):
    x, distinct = ordered(source, low=1)
    k = source.between(0, x.shape[-1])

    def reference(x, k):
        values, indices = torch.topk(x.to(torch.int32) if x.dtype == torch.bool else x, k, dim=-1)
        return values.to(x.dtype), indices if distinct else None

    return Case(op, [x, k], reference, exact=True, gradient=distinct)
