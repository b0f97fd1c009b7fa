"""What moves elements and leaves them as they are: shapes, joins, parts."""

import math

import torch
import torch.nn.functional as F

from answers import Case, context
from registry import maker
from values import UNDEFINED


def moved(op, args, reference):
    """A case whose results are elements of its inputs."""
    return Case(op, args, reference, exact=True, gradient=True)


@maker("reshape")
def reshape(source, op):
    shape = source.shape()
    rest, to = math.prod(shape), []
    while rest > 1 and len(to) < 4:
        part = source.choice([n for n in range(1, rest + 1) if rest % n == 0])
        to.append(part)
        rest //= part
    to = [*to, rest] if rest != 1 or source.chance(0.3) else to
    if 0 not in to and to and source.chance(0.4):
        to[source.between(0, len(to) - 1)] = -1
    return moved(op, [source.any(shape), to], lambda x, s: x.reshape(s))


@maker("transpose")
def transpose(source, op):
    shape = source.shape()
    order = list(range(len(shape)))
    source.random.shuffle(order)
    order = [p - len(shape) if source.chance(0.3) else p for p in order]
    if source.chance(0.3):
        return moved(op, [source.any(shape)], lambda x: x.permute(list(range(x.dim()))[::-1]))
    return moved(op, [source.any(shape), order], lambda x, p: x.permute(p))


@maker("swapAxes")
def swap_axes(source, op):
    shape = source.shape(low=1)
    a, b = source.axis(len(shape)), source.axis(len(shape))
    return moved(op, [source.any(shape), a, b], lambda x, a, b: x.transpose(a, b))


@maker("squeeze")
def squeeze(source, op):
    shape = [1 if source.chance(0.4) else size for size in source.shape()]
    ones = [i for i, size in enumerate(shape) if size == 1]
    x = source.any(shape)
    if not ones or source.chance(0.3):
        return moved(op, [x], lambda x: x.squeeze())
    axes = source.random.sample(ones, source.between(1, len(ones)))
    axes = [a - len(shape) if source.chance(0.4) else a for a in axes]
    given = axes[0] if len(axes) == 1 and source.chance(0.7) else axes
    return moved(op, [x, given], lambda x, _: x.squeeze(tuple(axes)))


@maker("unsqueeze")
def unsqueeze(source, op):
    shape = source.shape()
    axis = source.between(-len(shape) - 1, len(shape))
    return moved(op, [source.any(shape), axis], lambda x, a: x.unsqueeze(a))


@maker("flip")
def flip(source, op):
    shape = source.shape()
    axis, axes = source.axes(len(shape))
    return moved(op, [source.any(shape), axis], lambda x, _: x.flip(axes))


@maker("pad")
def pad(source, op):
    shape = source.shape(most=16)
    x = source.any(shape)
    widths = [[source.between(0, 2), source.between(0, 1)] for _ in shape]
    value = source.choice([UNDEFINED, 1, 3, -2])
    if x.kind == "b":
        value = source.choice([UNDEFINED, 1])
    flat = [n for pair in reversed(widths) for n in pair]
    number = 0 if value is UNDEFINED else value

    def reference(x, *_):
        wide = x.to(torch.int32) if x.dtype == torch.bool else x
        return F.pad(wide, flat, value=number).to(x.dtype) if flat else x.clone()

    return moved(op, [x, widths, value], reference)


@maker("clone", "stopGradient")
def clone(source, op):
    f = (lambda x: x.clone()) if op == "clone" else (lambda x: x.detach())
    return moved(op, [source.any(source.shape(), wild=0.5)], f)


@maker("named")
def named(source, op):
    shape = source.shape()
    names = [source.choice([f"axis{i}", size]) for i, size in enumerate(shape)]
    return moved(op, [source.any(shape), names], lambda x, _: x.clone())


@maker("broadcastTo")
def broadcast_to(source, op):
    wide, narrow = source.broadcast()
    to = list(torch.broadcast_shapes(wide, narrow))
    return moved(op, [source.any(narrow), to], lambda x, s: x.expand(s))


WIDTHS = {"b": 0, "i": 1, "f": 2}


def alike(xs):
    """In the widest of the types."""
    kinds = [context.dtype if x.is_floating_point() else x.dtype for x in xs]
    order = [torch.bool, torch.int32, context.dtype]
    widest = max(kinds, key=order.index)
    return [x.to(widest) for x in xs]


@maker("concat")
def concat(source, op):
    shape = source.shape(low=1, most=16)
    axis = source.axis(len(shape))
    kinds = source.choice(["f", "f", "i", "b", "fib"])
    xs = []
    for _ in range(source.between(1, 4)):
        own = list(shape)
        own[axis] = source.size()
        xs.append(source.any(own, kinds))
    args = [xs, axis] if axis != 0 or source.chance(0.5) else [xs]
    return moved(op, args, lambda xs, a=0: torch.cat(alike(xs), a))


@maker("stack")
def stack(source, op):
    shape = source.shape(high=3, most=12)
    axis = source.between(-len(shape) - 1, len(shape))
    kinds = source.choice(["f", "f", "i", "b", "fib"])
    xs = [source.any(shape, kinds) for _ in range(source.between(1, 4))]
    args = [xs, axis] if axis != 0 or source.chance(0.5) else [xs]
    return moved(op, args, lambda xs, a=0: torch.stack(alike(xs), a))


@maker("split")
def split(source, op):
    shape = source.shape(low=1)
    axis = source.axis(len(shape))
    length = shape[axis]
    if source.chance(0.5):
        parts = source.choice([n for n in range(1, max(2, length + 1)) if length % n == 0])
        sizes = [length // parts] * parts
    else:
        sizes, left = [], length
        while left > 0 and len(sizes) < 3:
            sizes.append(source.between(0, left))
            left -= sizes[-1]
        parts = sizes = [*sizes, left]
    args = [source.any(shape), parts, *([axis] if axis != 0 or source.chance(0.5) else [])]
    return moved(op, args, lambda x, _, a=0: torch.split(x, sizes, a))


@maker("unstack")
def unstack(source, op):
    shape = source.shape(low=1, least=1)
    axis = source.axis(len(shape))
    args = [source.any(shape), *([axis] if axis != 0 or source.chance(0.5) else [])]
    return moved(op, args, lambda x, a=0: torch.unbind(x, a))
