"""One element in, one out; and two in, with broadcasting."""

import math

import torch
import torch.nn.functional as F

from answers import Case, context, fl
from registry import maker
from values import UNDEFINED



class Expm1(torch.autograd.Function):
    """PyTorch takes the slope from the result, and has 0 where the result is -1 by rounding."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.expm1(x)

    @staticmethod
    def backward(ctx, dy):
        return dy * torch.exp(ctx.saved_tensors[0])


FLOAT = {
    "exp": torch.exp,
    "expm1": lambda x: Expm1.apply(x),
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "erf": torch.erf,
    "silu": F.silu,
}
ROUNDING = {"floor": torch.floor, "ceil": torch.ceil, "round": torch.round}
TESTS = {"isNaN": torch.isnan, "isFinite": torch.isfinite, "isInfinite": torch.isinf}
# Of whole numbers and bools too, which they leave as they are.
SAME = {
    "abs": torch.abs,
    "neg": lambda x: -x,
    # NaN of NaN, as NumPy; PyTorch has 0.
    "sign": lambda x: torch.where(x.isnan(), x.detach(), torch.sign(x)) if x.is_floating_point() else torch.sign(x),
    "square": lambda x: x * x,
    "relu": F.relu,
}


def numeric(x):
    """A bool as a whole number."""
    return x.to(torch.int32) if x.dtype == torch.bool else x


@maker(*FLOAT)
def float_unary(source, op):
    kind = source.choice(["plain", "plain", "positive", "unit", "large", "wild"])
    x = source.floats(source.shape(), kind) if source.chance(0.8) else source.any(source.shape(), "ib")
    return Case(op, [x], lambda x: FLOAT[op](fl(x)), gradient=x.kind == "f")


@maker(*ROUNDING)
def rounding(source, op):
    x = source.any(source.shape(), "fffib")
    return Case(op, [x], lambda x: ROUNDING[op](fl(x)), exact=True, gradient=x.kind == "f")


@maker(*TESTS)
def tests(source, op):
    x = source.any(source.shape(), "fffib", wild=0.7)
    return Case(op, [x], lambda x: TESTS[op](fl(x)), exact=True)


@maker(*SAME)
def same(source, op):
    x = source.any(source.shape(), "fffib")
    return Case(op, [x], lambda x: SAME[op](numeric(x)), exact=True, gradient=x.kind == "f")


@maker("logicalNot")
def logical_not(source, op):
    return Case(op, [source.any(source.shape(), "bbfi")], lambda x: torch.logical_not(x), exact=True)


@maker("leakyRelu")
def leaky_relu(source, op):
    slope = source.choice([0.25, 0.01, 0.5])
    x = source.any(source.shape(), "fffib")
    args = [x] if slope == 0.01 else [x, slope]
    return Case(op, args, lambda x, *_: F.leaky_relu(fl(x), slope), gradient=x.kind == "f")


@maker("clip")
def clip(source, op):
    low, high = sorted(source.between(-12, 12) / 4 for _ in range(2))
    x = source.any(source.shape(), "fffi")
    if x.kind == "i":
        low, high = math.floor(low), math.ceil(high)
    return Case(op, [x, low, high], lambda x, *_: torch.clamp(x, low, high), exact=True, gradient=x.kind == "f")


@maker("gelu")
def gelu(source, op):
    form = source.choice([UNDEFINED, "exact", "tanh"])
    x = source.any(source.shape(), "fffi")

    def reference(x, _):
        x = fl(x)
        if form == "tanh":
            return F.gelu(x, approximate="tanh")
        # PyTorch's own gives NaN at infinity in float32.
        return x * 0.5 * torch.special.erfc(-x * math.sqrt(0.5))

    return Case(op, [x, form], reference, gradient=x.kind == "f")


@maker("asType")
def as_type(source, op):
    x = source.any(source.shape(), "fib")
    to = source.choice(["float32", "int32", "bool"])
    if x.kind == "f" and to == "int32":
        x = source.floats(x.shape, "plain")
    # To whole numbers by cutting off, to bool by "is not 0", as NumPy and PyTorch.
    kinds = {"int32": torch.int32, "bool": torch.bool}
    reference = lambda x, _: fl(x) if to == "float32" else x.to(kinds[to])
    return Case(op, [x, to], reference, exact=True, gradient=x.kind == "f" and to == "float32")


WIDTH = {torch.bool: 0, torch.int32: 1}


def width(x):
    return WIDTH.get(x.dtype, 2)


def common(a, b, least=0):
    """Two operands of one type, by Halftone's rule: bool, int32, float; a whole number takes the type beside it."""
    widths = [width(x) for x in (a, b) if isinstance(x, torch.Tensor)]
    wide = max([*widths, least])
    for x in (a, b):
        if not isinstance(x, torch.Tensor):
            wide = max(wide, 1 if float(x).is_integer() else 2)
    kind = [torch.bool, torch.int32, context.dtype][wide]
    return [x.to(kind) if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=kind) for x in (a, b)]


def decimals(source):
    """Numbers that no binary format holds, where PyTorch does not round them to a half first."""
    return [0.1, -0.7] if source.storage in ("float32", "float64") else []


def operands(source, kinds="fffffib", wild=0.25, more=()):
    """Two tensors that broadcast, or a tensor and a number."""
    s, t = source.broadcast()
    a, b = source.any(s, kinds, wild), source.any(t, kinds, wild)
    if source.chance(0.2):
        value = source.choice([source.between(-3, 3), source.between(-12, 12) / 4, *more])
        return (a, value) if source.chance(0.5) else (value, b)
    return a, b


def floats_in(*xs):
    return all(not hasattr(x, "kind") or x.kind == "f" for x in xs)


ARITHMETIC = {"add": torch.add, "sub": torch.sub, "mul": torch.mul}


@maker(*ARITHMETIC)
def arithmetic(source, op):
    a, b = operands(source, more=decimals(source))
    return Case(op, [a, b], lambda a, b: ARITHMETIC[op](*common(a, b, 1)), gradient=True)


@maker("maximum", "minimum")
def extreme(source, op):
    a, b = operands(source)
    f = torch.maximum if op == "maximum" else torch.minimum
    return Case(op, [a, b], lambda a, b: f(*common(a, b, 1)), exact=True, gradient=True)


@maker("div")
def div(source, op):
    a, b = operands(source, more=decimals(source))
    return Case(op, [a, b], lambda a, b: torch.div(*common(a, b, 2)), gradient=True)


@maker("floorDiv", "mod")
def division(source, op):
    a, b = operands(source, wild=0.1)
    if hasattr(b, "kind"):
        # A whole number divided by 0 has no answer.
        b.values = [x if x else 2 for x in b.values] if b.kind != "b" else [True] * len(b.values)
    else:
        b = b or 2
    f = torch.floor_divide if op == "floorDiv" else torch.remainder
    return Case(op, [a, b], lambda a, b: f(*common(a, b, 1)), exact=True, gradient=op == "mod" and floats_in(a, b))


@maker("pow")
def power(source, op):
    s, t = source.broadcast()
    style = source.between(0, 3)
    if style == 0:
        a, b = source.ints(s, -4, 4), source.ints(t, 0, 5)
    elif style == 1:
        a, b = source.floats(s, "positive"), source.floats(t)
    elif style == 2:
        a, b = source.floats(s, source.choice(["plain", "wild"])), source.choice([0, 1, 2, 3, -1, -2, 0.5])
    else:
        a, b = source.floats(s), source.ints(t, -3, 3)
    return Case(op, [a, b], lambda a, b: torch.pow(*common(a, b, 1)), gradient=style in (1, 2))


COMPARE = {
    "equal": torch.eq,
    "notEqual": torch.ne,
    "less": torch.lt,
    "lessEqual": torch.le,
    "greater": torch.gt,
    "greaterEqual": torch.ge,
}


@maker(*COMPARE)
def comparison(source, op):
    a, b = operands(source, "fffibb", wild=0.5)
    return Case(op, [a, b], lambda a, b: COMPARE[op](*common(a, b)), exact=True)


@maker("logicalAnd", "logicalOr")
def logical(source, op):
    a, b = operands(source, "bbbif", wild=0.3)
    f = torch.logical_and if op == "logicalAnd" else torch.logical_or
    as_tensor = lambda x: x if isinstance(x, torch.Tensor) else torch.tensor(x)
    return Case(op, [a, b], lambda a, b: f(as_tensor(a), as_tensor(b)), exact=True)
