"""Fourier transforms, of complex numbers as their two parts, and images made larger or smaller."""

import torch
import torch.nn.functional as F

from answers import Case, arrays, fl
from registry import maker
from values import Array


def options(source, shape):
    axis = source.axis(len(shape))
    more = {}
    if axis != -1:
        more["axis"] = axis
    if source.chance(0.4) or shape[axis] == 0:
        more["n"] = source.choice([1, 2, 3, 4, 5, 6, 7, 8, 12])
    if source.chance(0.4):
        more["norm"] = source.choice(["backward", "ortho", "forward"])
    return more, {"dim": axis, "n": more.get("n"), "norm": more.get("norm")}


def whole(x):
    """The two parts as a complex tensor, a real one as it is."""
    return torch.complex(x["real"], x["imag"]) if isinstance(x, dict) else fl(x)


def operand(source, shape, real=0.5):
    if source.chance(real):
        return source.any(shape, "fffi", wild=0)
    return {"real": source.floats(shape), "imag": source.floats(shape)}


@maker("fft", "ifft", "rfft", "irfft")
def fourier(source, op):
    shape = source.shape(low=1)
    more, own = options(source, shape)
    x = operand(source, shape, {"rfft": 1, "irfft": 0.2}.get(op, 0.5))
    if op == "irfft" and "n" not in more and shape[own["dim"]] < 2:
        more["n"] = own["n"] = 4
    f = getattr(torch.fft, op)

    def reference(x, *_):
        y = f(whole(x), **own)
        return y if op == "irfft" else [y.real, y.imag]

    parts = arrays(x)
    n = own["n"] or (2 * (shape[own["dim"]] - 1) if op == "irfft" else shape[own["dim"]])
    inverse = op in ("ifft", "irfft")
    norm = own["norm"] or "backward"
    factor = n**-0.5 if norm == "ortho" else 1 / n if (norm == "backward") == inverse else 1
    largest = max([abs(value) for part in parts for value in part.values], default=0)
    return Case(op, [x, *([more] if more else [])], reference, gradient=parts[0].kind == "f",
                least=(largest * n * factor, 2 * n * factor))  # fmt: skip


@maker("interpolate")
def interpolate(source, op):
    rank = source.choice([1, 2, 2])
    shape = [source.between(1, 2), *[source.between(1, 4) for _ in range(rank)], source.between(1, 2)]
    x = source.floats(shape) if source.chance(0.85) else source.ints(shape)
    mode = source.choice(["nearest", "linear" if rank == 1 else "bilinear"])
    own = {"mode": mode}
    if source.chance(0.5):
        size = [source.between(1, 7) for _ in range(rank)]
        more = {"size": size[0] if rank == 1 and source.chance(0.5) else size}
        own["size"] = size
    else:
        factor = source.choice([2, 3, 0.5, 1.5, 2.5])
        if any(int(d * factor) < 1 for d in shape[1:-1]):
            factor = 2
        more = {"scaleFactor": factor}
        own["scale_factor"] = float(factor)
    if mode != "nearest" or source.chance(0.5):
        more["mode"] = mode
    if mode != "nearest" and source.chance(0.5):
        more["alignCorners"] = own["align_corners"] = source.chance(0.6)
    reference = lambda x, *_: F.interpolate(fl(x).movedim(-1, 1), **own).movedim(1, -1)
    # A mean of elements, which may cancel.
    largest = max(abs(value) for value in x.values)
    return Case(op, [x, more], reference, exact=mode == "nearest", gradient=x.kind == "f", least=(largest, 1))


@maker("refusals")
def refusals(source, _):
    f = source.floats
    refusal = lambda op, *args: Case(op, list(args), refused=True)
    any_of = source.choice(["fft", "ifft", "rfft", "irfft"])
    return source.choice([
        lambda: refusal(any_of, f([2, 3]), {"axis": 2}),
        lambda: refusal(any_of, f([2, 3]), {"n": source.choice([0, 1.5, -2])}),
        lambda: refusal("fft", f([])),
        lambda: refusal("ifft", {"real": f([2]), "imag": f([3])}),
        lambda: refusal("irfft", f([2, 1])),
        lambda: refusal("interpolate", f([2, 3]), {"size": 2}),
        lambda: refusal("interpolate", f([1, 2, 2, 1]), {"size": source.choice([0, [2], [2, -1]])}),
        lambda: refusal("interpolate", f([1, 2, 2, 1]), {}),
        lambda: refusal("interpolate", f([1, 2, 2, 1]), {"size": 2, "scaleFactor": 2}),
        lambda: refusal("interpolate", f([1, 2, 2, 1]), {"size": 2, "mode": "linear"}),
        lambda: refusal("interpolate", f([1, 2, 2, 1]), {"size": 2, "mode": "nearest", "alignCorners": True}),
    ])()
