"""Functions of matrices. Of those whose signs are not determined, what is: see test/tensor/fuzz/invariants.ts."""

import numpy as np
import torch

from answers import Case, fl
from registry import maker
from values import Array


def batch(source):
    return source.choice([[], [], [1], [2], [3], [2, 2], [0]])


def well(source, axes, m, n, step=0.0):
    """Plain numbers with a diagonal that keeps the rows apart."""
    x = source.floats([*axes, m, n]) if source.chance(0.9) else source.ints([*axes, m, n])
    values = x.numpy() / (2 if x.kind == "f" else 1)
    for i in range(min(m, n)):
        values[..., i, i] += (-1) ** i * 6 if not step else step * (i + 2)
    x.values = values.flatten().tolist()
    return x


def regular(source, axes, n):
    """Matrices that are not singular."""
    while True:
        x = well(source, axes, n, n)
        if (np.abs(np.linalg.det(x.numpy())) > 0.01).all():
            return x


def positive(source, axes, n):
    """B B^T + I for B of -1, 0 and 1: small whole numbers."""
    b = np.array([source.between(-1, 1) for _ in range(int(np.prod(axes, dtype=int)) * n * n)], float).reshape([*axes, n, n])
    return Array("f", [*axes, n, n], (b @ np.swapaxes(b, -1, -2) + np.eye(n)).flatten().tolist())


def symmetric(source, axes, n):
    """With eigenvalues apart from each other."""
    x = np.array([source.between(-4, 4) / 8 for _ in range(int(np.prod(axes, dtype=int)) * n * n)], float).reshape([*axes, n, n])
    x = np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)
    for i in range(n):
        x[..., i, i] += 3 * i - 4
    return Array("f", [*axes, n, n], x.flatten().tolist())


def right(source, axes, n):
    """A right side, with some of its own batch axes."""
    if source.chance(0.3):
        return source.floats([n])
    own = source.choice([axes, [1 if source.chance(0.4) else d for d in axes], axes[1:] if axes else axes])
    return source.floats([*own, n, source.between(0 if source.chance(0.1) else 1, 3)])


def column(f):
    """A vector is a column."""

    def g(a, b, *rest):
        a, b = fl(a), fl(b)
        if b.dim() == 1:
            return f(a, b.unsqueeze(-1).expand(*a.shape[:-2], -1, 1)).squeeze(-1)
        # Otherwise PyTorch takes some matrices for batches of vectors.
        return f(a, b.expand(*torch.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))

    return g


@maker("solve")
def solve(source, op):
    axes, n = batch(source), source.between(1, 4)
    a, b = regular(source, axes, n), right(source, axes, n)
    return Case(op, [a, b], column(torch.linalg.solve), gradient=a.kind == "f")


@maker("solveTriangular")
def solve_triangular(source, op):
    axes, n = batch(source), source.between(1, 4)
    a, b = well(source, axes, n, n), right(source, axes, n)
    upper = source.choice([None, False, True])
    f = column(lambda a, b: torch.linalg.solve_triangular(torch.triu(a) if upper else torch.tril(a), b, upper=bool(upper)))
    return Case(op, [a, b, *([] if upper is None else [{"upper": upper}])], f, gradient=a.kind == "f")


@maker("inv")
def inv(source, op):
    n = source.between(1, 4)
    a = regular(source, batch(source), n)
    return Case(op, [a], lambda a: torch.linalg.inv(fl(a)), gradient=a.kind == "f")


@maker("det")
def det(source, op):
    axes, n = batch(source), source.between(1, 4)
    a = well(source, axes, n, n)
    if source.chance(0.25) and n > 1 and a.kind == "f":
        values = a.numpy()
        values[..., 1, :] = -values[..., 0, :]
        a.values = values.flatten().tolist()
        return Case(op, [a], by_minors, gradient=True, normwise=True)
    return Case(op, [a], lambda a: torch.linalg.det(fl(a)), gradient=a.kind == "f", normwise=True)


def by_minors(a):
    """By minors: of a singular matrix PyTorch's gradient divides by the last place of 1."""
    n = a.shape[-1]
    if n == 1:
        return a[..., 0, 0]
    minor = lambda j: torch.cat([a[..., 1:, :j], a[..., 1:, j + 1 :]], -1)
    return sum((-1) ** j * a[..., 0, j] * by_minors(minor(j)) for j in range(n))


@maker("slogDet")
def slogdet(source, op):
    n = source.between(1, 4)
    a = regular(source, batch(source), n)
    # The logarithms of the pivots cancel.
    return Case(op, [a], lambda a: list(torch.linalg.slogdet(fl(a))), gradient=a.kind == "f", least=(1, 0))


@maker("cholesky")
def cholesky(source, op):
    a = positive(source, batch(source), source.between(1, 4))
    return Case(op, [a], torch.linalg.cholesky, gradient=True)


@maker("qr")
def qr(source, op):
    a = well(source, batch(source), source.between(1, 4), source.between(1, 4))

    def reference(a):
        q, r = torch.linalg.qr(fl(a))
        signs = torch.where(torch.diagonal(r, 0, -2, -1) < 0, -1.0, 1.0).to(r.dtype)
        return q * signs.unsqueeze(-2), r * signs.unsqueeze(-1)

    return Case(op, [a], reference, gradient=a.kind == "f", normwise=True)


def joined(u, s, vh):
    return (u * torch.tanh(s).unsqueeze(-2)) @ vh


@maker("eigh")
def eigh(source, op):
    a = symmetric(source, batch(source), source.between(1, 4))

    def reference(a):
        values, vectors = torch.linalg.eigh(a)
        return values, joined(vectors, values, vectors.mT)

    return Case(op, [a], reference, gradient=True, normwise=True)


def singular(a):
    u, s, vh = torch.linalg.svd(fl(a), full_matrices=False)
    return s, joined(u, s, vh)


@maker("svd")
def svd(source, op):
    a = well(source, batch(source), source.between(1, 4), source.between(1, 4), step=1.5)
    return Case(op, [a], singular, gradient=a.kind == "f", normwise=True)


@maker("pinv")
def pinv(source, op):
    a = well(source, batch(source), source.between(1, 4), source.between(1, 4))
    return Case(op, [a], lambda a: torch.linalg.pinv(fl(a)), gradient=a.kind == "f", normwise=True)


@maker("lstsq")
def lstsq(source, op):
    axes, m = batch(source), source.between(1, 4)
    a, b = well(source, axes, m, source.between(1, 4)), right(source, axes, m)
    return Case(op, [a, b], column(lambda a, b: torch.linalg.pinv(a) @ b), gradient=a.kind == "f", normwise=True)


@maker("refusals")
def refusals(source, _):
    f = source.floats
    refusal = lambda op, *args: Case(op, list(args), refused=True)
    square = source.choice(["inv", "det", "slogDet", "cholesky"])
    flat = Array("f", [2, 2], [1.0, 2.0, 2.0, 4.0])
    return source.choice([
        lambda: refusal(square, f(source.choice([[2, 3], [4, 1, 3], [3], []]))),
        lambda: refusal(source.choice(["solve", "solveTriangular"]), f([2, 3]), f([3])),
        lambda: refusal(source.choice(["solve", "solveTriangular"]), f([3, 3]), f(source.choice([[2], [4, 2], []]))),
        lambda: refusal("solve", f([2, 3, 3]), f([3, 3, 1])),
        lambda: refusal(source.choice(["pinv", "qr", "svd"]), f([3])),
        lambda: refusal("lstsq", f([3, 2]), f([2])),
        lambda: refusal("inv", flat),
        lambda: refusal("solve", flat, f([2])),
        lambda: refusal("cholesky", Array("f", [1, 2, 2], [1.0, 2.0, 2.0, 1.0])),
    ])()


def corners():
    """Programs that meet the rows of docs/numbers.md about matrices: one of each in every sample."""
    turned = [7, -3, 1, 4, 7, -2, -5, 1, 4, 3, 4, -1, -2, 5, 5, -3, -2, 8, 2, 2, 4, -1, 9, 0, -3, 0, 8, 0, -5, 3, -3, 3, -5, -3, 4, 3]
    yield "float32", Case("svd", [Array("i", [2, 2, 3, 3], turned)], singular, normwise=True)
    flat = [[5.6875, -1.9375, 0, 1.3125], [-5.6875, 1.9375, 0, -1.3125], [0.6875, 0.0625, 7.8125, -1.9375], [0.875, -0.6875, -1.5625, -7.375],
            [5.1875, -2, 0.1875, -1.5625], [-5.1875, 2, -0.1875, 1.5625], [0.0625, -0.5625, 5.9375, 1.75], [0.8125, 1.1875, 0.6875, -6.75],
            [7.8125, 2, -0.375, 1.375], [-7.8125, -2, 0.375, -1.375], [0.625, 0.125, 6.375, -0.75], [-0.0625, 1.875, 0.25, -6]]  # fmt: skip
    yield "float32", Case("det", [Array("f", [3, 4, 4], sum(flat, []))], by_minors, gradient=True, normwise=True)
