"""Shapes and numbers of a program's arguments, and how they are written as JSON."""

import math
from dataclasses import dataclass

import numpy as np

# Kinds of element: float (in the program's storage), int32, bool.
NUMPY = {"f": np.float64, "i": np.int32, "b": np.bool_}
# 1e38 and a subnormal number, or what stands for them in a storage, exact in it.
EXTREMES = {
    "float32": (float(np.float32(1e38)), 2.0**-130),
    "bfloat16": (1.1875 * 2.0**126, 2.0**-130),
    "float16": (60000.0, 2.0**-20),
    "float64": (float(np.float32(1e38)), 2.0**-130),
}
SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 0.0]


@dataclass
class Array:
    """A tensor argument."""

    kind: str
    shape: list
    values: list

    def numpy(self):
        return np.array(self.values, NUMPY[self.kind]).reshape(self.shape)


def number(x, digits=9):
    """A float as JSON has it, in the given significant digits; what JSON lacks as text."""
    x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0:
        return "-0" if math.copysign(1, x) < 0 else 0
    short = float(f"{x:.{digits}g}")
    return int(short) if short == int(short) and abs(short) < 1e9 else short


def encoded(value):
    """An argument as JSON: a tensor as {t, s, v}, a number that JSON lacks as {n}, undefined as {u}."""
    if isinstance(value, Array):
        if value.kind == "f":
            values = [number(x, 17) for x in value.values]
        else:
            values = [int(x) for x in value.values]
        return {"t": value.kind, "s": value.shape, "v": values}
    if isinstance(value, float):
        short = number(value, 17)
        return {"n": short} if isinstance(short, str) else short
    if isinstance(value, (list, tuple)):
        return [encoded(x) for x in value]
    if isinstance(value, dict):
        return {key: encoded(x) for key, x in value.items()}
    return {"u": 1} if value is UNDEFINED else value


class Undefined:
    pass


UNDEFINED = Undefined()


class Source:
    """Random choices; `storage` is what the program's floats are stored as."""

    def __init__(self, random, storage):
        self.random = random
        self.storage = storage

    def choice(self, options):
        return self.random.choice(options)

    def chance(self, p):
        return self.random.random() < p

    def between(self, low, high):
        return self.random.randint(low, high)

    def size(self):
        """Sometimes none, often one, mostly a few."""
        p = self.random.random()
        return 0 if p < 0.05 else 1 if p < 0.25 else self.between(2, 5)

    def shape(self, low=0, high=4, most=40, least=None):
        """`least`: the smallest size of an axis."""
        while True:
            shape = [self.size() for _ in range(self.between(low, high))]
            if least is not None:
                shape = [max(least, size) for size in shape]
            if math.prod(shape) <= most:
                return shape

    def axis(self, rank):
        """From either end."""
        return self.between(-rank, rank - 1)

    def axes(self, rank):
        """None, one, or several axes, as an op that reduces takes them; and their places."""
        p = self.random.random()
        if p < 0.25 or rank == 0:
            return UNDEFINED, list(range(rank))
        if p < 0.7:
            axis = self.axis(rank)
            return axis, [axis % rank]
        places = self.random.sample(range(rank), self.between(1, rank))
        return [p - rank if self.chance(0.4) else p for p in places], places

    def broadcast(self, low=0, high=4, most=40):
        """Two shapes that broadcast, on either side."""
        wide = self.shape(low, high, most)
        def narrow():
            cut = self.between(0, len(wide)) if self.chance(0.4) else 0
            return [1 if self.chance(0.3) else size for size in wide[cut:]]
        # An axis of 1 beside one of 1 or 0 is as good a broadcast.
        first, second = (wide, narrow()) if self.chance(0.6) else (narrow(), narrow())
        return (second, first) if self.chance(0.5) else (first, second)

    def floats(self, shape, kind="plain"):
        """
        plain: eighths in [-4, 4]; positive; unit: within (-1, 1); large: whole numbers to 100; distinct: no two alike;
        wild: with NaN, infinities, -0 and 1e38; tiny: with subnormals. All are exact in the storage.
        """
        count = math.prod(shape)
        big, small = EXTREMES[self.storage]
        def one():
            if kind == "plain":
                return self.between(-32, 32) / 8
            if kind == "positive":
                return self.between(1, 40) / 8
            if kind == "unit":
                return self.between(-15, 15) / 16
            if kind == "large":
                return float(self.between(-100, 100))
            p = self.random.random()
            if p < 0.5:
                return self.between(-16, 16) / 4
            if kind == "wild" and p < 0.9:
                return self.choice(SPECIAL)
            return self.choice([big, -big] if kind == "wild" else [small, -small])
        if kind == "distinct":
            pool = list(range(-count, count + 1))
            return Array("f", shape, [x / 4 for x in self.random.sample(pool, count)])
        return Array("f", shape, [one() for _ in range(count)])

    def ints(self, shape, low=-5, high=5):
        return Array("i", shape, [self.between(low, high) for _ in range(math.prod(shape))])

    def bools(self, shape):
        return Array("b", shape, [self.chance(0.5) for _ in range(math.prod(shape))])

    def any(self, shape, kinds="ffib", wild=0.2):
        """A tensor of some kind of element."""
        kind = self.choice(kinds)
        if kind == "i":
            return self.ints(shape)
        if kind == "b":
            return self.bools(shape)
        if self.chance(0.02):
            return self.floats(shape, "tiny")
        return self.floats(shape, "wild" if self.chance(wild) else "plain")
