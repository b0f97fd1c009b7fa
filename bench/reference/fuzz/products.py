"""Products of tensors, and the patterns of einops."""

import math
import string

import torch

from answers import Case, context, fl
from elementwise import numeric
from registry import maker


@maker("matmul")
def matmul(source, op):
    m, k, n = (source.size() for _ in range(3))
    style = source.between(0, 5)
    if style == 0:
        s, t = [k], [k]
    elif style == 1:
        s, t = [*source.shape(high=2, most=8), m, k], [k]
    elif style == 2:
        s, t = [k], [*source.shape(high=2, most=8), k, n]
    elif style == 3:
        s, t = [*source.shape(high=2, most=8), m, k], [k, n]
    else:
        a, b = source.broadcast(high=2, most=8)
        s, t = [*a, m, k], [*b, k, n]
    kinds = "ffffffib"
    a, b = source.any(s, kinds, 0.1), source.any(t, kinds, 0.1)
    return Case(op, [a, b], lambda a, b: torch.matmul(fl(a), fl(b)), gradient=True)


EINSUMS = [
    "ij,jk->ik", "ij,kj->ki", "bij,bjk->bik", "bij,jk->bik", "bhqd,bhkd->bhqk", "i,j->ij", "i,i->", "ij->ji", "ii->i",
    "ii->", "ij->i", "ij,ij->", "ij,ij->ij", "bij,bkj->bik", "...ij,...jk->...ik", "...i,i->...", "ij,jk,kl->il", "ijk->ki",
    "ij,j->i", "i,ij,j->", "bii->bi", "a,b,c->cba", "ij,k->ikj", "...i->...", "bqd,kd->bqk", "ij,ij->i", "ba,ca,da->bcd",
]  # fmt: skip


@maker("einsum")
def einsum(source, op):
    pattern = source.choice(EINSUMS)
    sizes = {letter: source.choice([0, 1, 2, 2, 3, 3]) if source.chance(0.5) else source.between(1, 3)
             for letter in string.ascii_lowercase}
    wide, narrow = source.broadcast(high=2, most=6)
    terms = pattern.split("->")[0].split(",")
    shapes = []
    for i, term in enumerate(terms):
        dots = [wide, narrow][i] if term.startswith("...") else []
        shapes.append([*dots, *(sizes[letter] for letter in term.replace("...", ""))])
    xs = [source.any(shape, "ffffffib", 0.08) for shape in shapes]
    text = pattern
    if source.chance(0.3) and "..." not in pattern:
        # Names with spaces between them, as words.
        words = {letter: source.choice([letter, f"axis_{letter}"]) for letter in sizes}
        text = "->".join(", ".join(" ".join(words[x] for x in term) for term in side.split(","))
                         for side in pattern.split("->"))
        if not any(" " in part.strip() for side in text.split("->") for part in side.split(",")):
            text = pattern
    return Case(op, [text, *xs], lambda _, *xs: torch.einsum(pattern, *map(fl, xs)), gradient=True)


def grouping(source, names, most=2):
    """Names put into groups at random, each a list."""
    groups, at = [], 0
    while at < len(names):
        width = source.between(1, most) if source.chance(0.4) else 1
        groups.append(names[at : at + width])
        at += width
    return groups


def side(groups):
    return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups)


def pattern_of(source, names):
    """An input whose axes are these names in groups; the sizes, its shape and the sizes that must be given."""
    sizes = {name: source.choice([1, 2, 2, 3]) for name in names}
    if source.chance(0.08) and names:
        sizes[source.choice(names)] = 0
    groups = grouping(source, names)
    shape = [math.prod(sizes[name] for name in group) for group in groups]
    given = {}
    for group in groups:
        if len(group) > 1:
            # All but one, which the size of the axis tells (of none nothing can be told).
            free = None if any(sizes[name] == 0 for name in group) else source.choice(group)
            given.update({name: sizes[name] for name in group if name != free})
    return sizes, groups, shape, given


@maker("rearrange")
def rearrange(source, op):
    names = list("abcde"[: source.between(1, 4)])
    sizes, groups, shape, given = pattern_of(source, names)
    order = list(names)
    source.random.shuffle(order)
    right = grouping(source, order)
    to = [math.prod(sizes[name] for name in group) for group in right]
    perm = [names.index(name) for name in order]
    reference = lambda x, *_: x.reshape([sizes[n] for n in names]).permute(perm).reshape(to)
    args = [source.any(shape), f"{side(groups)} -> {side(right)}", *([given] if given else [])]
    return Case(op, args, reference, exact=True, gradient=True)


@maker("repeat")
def repeat(source, op):
    names = list("abc"[: source.between(1, 3)])
    sizes, groups, shape, given = pattern_of(source, names)
    new = list("xy"[: source.between(1, 2)])
    for name in new:
        sizes[name] = given[name] = source.between(1, 2)
    order = [*names, *new]
    source.random.shuffle(order)
    right = grouping(source, order)
    to = [math.prod(sizes[name] for name in group) for group in right]
    kept = [names.index(name) for name in order if name in names]

    def reference(x, *_):
        x = x.reshape([sizes[n] for n in names]).permute(kept)
        for i, name in enumerate(order):
            if name in new:
                x = x.unsqueeze(i)
        return x.expand([sizes[name] for name in order]).reshape(to)

    args = [source.any(shape), f"{side(groups)} -> {side(right)}", given]
    return Case(op, args, reference, exact=True, gradient=True)


@maker("reduce")
def reduce(source, op):
    names = list("abcd"[: source.between(1, 4)])
    sizes, groups, shape, given = pattern_of(source, names)
    order = source.random.sample(names, source.between(0, len(names)))
    right = grouping(source, order)
    to = [math.prod(sizes[name] for name in group) for group in right]
    how = source.choice(["sum", "mean", "max", "min", "prod", "any", "all"])
    gone = [i for i, name in enumerate(names) if name not in order]
    if how in ("max", "min") and any(sizes[names[i]] == 0 for i in gone):
        how = "sum"
    if how in ("any", "all"):
        x = source.any(shape, "bbfi")
    elif how in ("max", "min"):
        x = source.floats(shape, "distinct") if source.chance(0.7) else source.any(shape, "ib")
    else:
        x = source.any(shape, "ffffib", 0.1)
    kept = [name for name in names if name in order]

    def reference(x, *_):
        x = x.reshape([sizes[n] for n in names])
        x = x.to(torch.bool) if how in ("any", "all") else fl(x) if how == "mean" else numeric(x)
        kind = x.dtype
        for i in sorted(gone, reverse=True):
            if how in ("max", "min"):
                x = torch.amax(x, i) if how == "max" else torch.amin(x, i)
            else:
                x = getattr(torch, how)(x, i)
        return x.to(kind).permute([kept.index(name) for name in order]).reshape(to)

    args = [x, f"{side(groups)} -> {side(right)}", how, *([given] if given else [])]
    return Case(op, args, reference, exact=how in ("max", "min"), gradient=x.kind == "f")
