"""Writes test/tensor/fixtures/reference/*.json: what NumPy and PyTorch give for small inputs, gradients among it.

Run: python bench/reference/tensor.py [files] [gradients] [special] [edges] [optimizers]   (PyTorch 2 and NumPy 2)
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).parents[2] / "test/tensor/fixtures/reference"
rng = np.random.default_rng(7)


def number(x):
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return float(np.float32(x))


def array(x):
    x = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    return {"shape": list(x.shape), "data": [number(v) for v in x.reshape(-1)]}


def normal(*shape, scale=1.0):
    return np.float32(rng.standard_normal(shape) * scale)


def write(name, cases):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


def differentiated(f, *inputs):
    """The value of f and the gradients of sum(value * weights), the weights 1, 2, 3, ..."""
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    value = f(*tensors)
    weights = torch.arange(1, value.numel() + 1, dtype=torch.float32).reshape(value.shape)
    grads = torch.autograd.grad((value * weights).sum(), tensors, allow_unused=True)
    return {
        "inputs": [array(x) for x in inputs],
        "value": array(value),
        "gradients": [array(torch.zeros_like(t) if g is None else g) for g, t in zip(grads, tensors)],
    }


def gradients():
    x = normal(3, 4)
    positive = np.abs(x) + np.float32(0.1)
    cases = {}

    def add(name, f, *inputs):
        cases[name] = differentiated(f, *inputs)

    for name in ["abs", "neg", "square", "exp", "expm1", "sin", "cos", "tan", "tanh", "sigmoid", "erf", "sign", "floor", "ceil", "round"]:
        add(name, getattr(torch, name), x)
    for name in ["log", "log1p", "sqrt", "rsqrt", "reciprocal"]:
        add(name, getattr(torch, name), positive)
    add("relu", F.relu, x)
    add("softplus", F.softplus, x)
    add("silu", F.silu, x)
    add("leakyRelu", lambda t: F.leaky_relu(t, 0.01), x)
    add("gelu", F.gelu, x * 2)
    add("geluTanh", lambda t: F.gelu(t, approximate="tanh"), x * 2)
    add("clip", lambda t: torch.clamp(t, -0.5, 0.5), x)
    y = normal(2, 1, 4)
    for name in ["add", "sub", "mul", "maximum", "minimum"]:
        add(name, getattr(torch, name), x, y)
    add("div", torch.div, x, np.abs(y) + np.float32(0.5))
    add("pow", torch.pow, positive, y)
    z = normal(2, 3, 4)
    for axis in [0, 1, 2, (0, 2), (0, 1, 2)]:
        key = str(list(axis) if isinstance(axis, tuple) else axis)
        add(f"sum {key}", lambda t: t.sum(axis), z)
        add(f"mean {key}", lambda t: t.mean(axis), z)
        add(f"max {key}", lambda t: t.amax(axis), z)
        add(f"min {key}", lambda t: t.amin(axis), z)
        add(f"variance {key}", lambda t: t.var(axis), z)
        add(f"std {key}", lambda t: t.std(axis), z)
        add(f"norm {key}", lambda t: torch.linalg.vector_norm(t, 2, axis), z)
        add(f"logSumExp {key}", lambda t: t.logsumexp(axis), z)
    for axis in [0, 1, 2]:
        add(f"prod {axis}", lambda t: t.prod(axis), z)
        add(f"softmax {axis}", lambda t: t.softmax(axis), z)
        add(f"logSoftmax {axis}", lambda t: t.log_softmax(axis), z)
        add(f"cumsum {axis}", lambda t: t.cumsum(axis), z)
        add(f"flip {axis}", lambda t: t.flip(axis), z)
    add("matmul", torch.matmul, normal(2, 1, 3, 4), normal(5, 4, 2))
    add("matmulVector", torch.matmul, normal(2, 3, 4), normal(4))
    add("layerNorm", lambda t, g, b: F.layer_norm(t, (4,), g, b), z, normal(4), normal(4))
    add("rmsNorm", lambda t, g: F.rms_norm(t, (4,), g, 1e-5), z, normal(4))
    add("concat", lambda a, b: torch.cat([a, b], 1), z, normal(2, 2, 4))
    add("stack", lambda a, b: torch.stack([a, b], 1), x, normal(3, 4))
    add("pad", lambda t: F.pad(t, (1, 2, 0, 1), value=3), x)
    add("slice", lambda t: t[:, 1:3, ::2], z)
    add("reverse", lambda t: t[1].flip(0)[:, 1:].flip(1), z)
    add("gather", lambda t: t[torch.tensor([2, 0, 2])], x)
    add("gatherLast", lambda t: t[:, torch.tensor([[3, 0], [0, 0]])], x)
    add("gatherAlong", lambda t: t.gather(1, torch.tensor([[0, 3], [1, 1], [2, 0]])), x)
    add("where", lambda a, b: torch.where(torch.tensor([[True], [False], [True]]), a, b), x, normal(4))
    add("topK", lambda t: t.topk(2).values, x)
    add("sort", lambda t: t.sort().values, x)
    add("broadcastTo", lambda t: t.broadcast_to(2, 3, 4), normal(3, 1))
    logits = normal(4, 5, scale=3)
    labels = torch.tensor([0, 4, -100, 2])
    for reduction in ["mean", "sum", "none"]:
        add(f"crossEntropy {reduction}", lambda t: F.cross_entropy(t, labels, reduction=reduction), logits)
        add(f"crossEntropySmooth {reduction}", lambda t: F.cross_entropy(t, labels, reduction=reduction, label_smoothing=0.1), logits)
        add(f"binaryCrossEntropy {reduction}", lambda t: F.binary_cross_entropy_with_logits(t, torch.tensor([[0.0], [1.0], [0.3], [1.0]]).expand(4, 5), reduction=reduction), logits)
        add(f"meanSquaredError {reduction}", lambda a, b: F.mse_loss(a, b, reduction=reduction), x, normal(3, 4))
        add(f"meanAbsoluteError {reduction}", lambda a, b: F.l1_loss(a, b, reduction=reduction), x, normal(3, 4))
    write("gradients", cases)


def special():
    """NaN, infinity and zero through every function of one element, and through reductions."""
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 100.0, -100.0])
    names = ["abs", "neg", "square", "exp", "expm1", "sin", "cos", "tanh", "sigmoid", "erf", "floor", "ceil", "round",
             "log", "log1p", "sqrt", "rsqrt", "reciprocal"]
    cases = {name: array(getattr(torch, name)(x)) for name in names}
    cases["relu"] = array(F.relu(x))
    cases["softplus"] = array(F.softplus(x))
    cases["isNaN"] = array(torch.isnan(x).float())
    cases["isFinite"] = array(torch.isfinite(x).float())
    cases["isInfinite"] = array(torch.isinf(x).float())
    cases["clip"] = array(x.clamp(-1, 1))
    rows = torch.tensor([[1.0, float("nan"), 2.0], [1.0, float("inf"), 2.0], [-float("inf")] * 3, [1e30, 1e30, -1e30]])
    cases["rows"] = {
        "input": array(rows),
        "sum": array(rows.sum(1)),
        "mean": array(rows.mean(1)),
        "max": array(rows.amax(1)),
        "min": array(rows.amin(1)),
        "logSumExp": array(rows.logsumexp(1)),
        "softmax": array(rows.softmax(1)),
        "logSoftmax": array(rows.log_softmax(1)),
    }
    write("special", {"input": array(x), **cases})


def edges():
    """Values and gradients where a function has a kink, a tie, a pole or a NaN."""
    inf, nan = math.inf, math.nan
    x = np.float32([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, inf, -inf, nan])
    cases = {}

    def add(name, f, *inputs):
        cases[name] = differentiated(f, *[np.float32(i) for i in inputs])

    for name in ["abs", "neg", "sign", "square", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "reciprocal", "sin", "cos",
                 "tanh", "sigmoid", "erf", "floor", "ceil", "round"]:
        # At a NaN, PyTorch's sign and gradient of abs are 0; ours are NaN, as NumPy's sign.
        add(name, getattr(torch, name), x[:10] if name in ["abs", "sign"] else x)
    add("relu", F.relu, x[:10])
    add("softplus", F.softplus, x)
    add("silu", F.silu, x[:8])
    add("gelu", F.gelu, x[:8])
    add("leakyRelu", lambda t: F.leaky_relu(t, 0.01), x)
    add("clip", lambda t: torch.clamp(t, -0.5, 0.5), x)
    bases, exponents = np.meshgrid(np.float32([-2, -1, 0, 0.5, 1, 3]), np.float32([-1, 0, 0.5, 1, 2, 3]))
    add("pow", torch.pow, bases, exponents)
    a, b = np.meshgrid(np.float32([-1, 0, 1, 2, inf, -inf, nan]), np.float32([-1, 0, 1, 2, inf, -inf, nan]))
    add("maximum", torch.maximum, a, b)
    add("minimum", torch.minimum, a, b)
    add("mul", torch.mul, a, b)
    add("div", torch.div, a, b)
    divisors = np.float32([-2, -0.5, 0.5, 1, 2, 3])
    add("mod", torch.remainder, *np.meshgrid(np.float32([-2, -1, 0, 1, 2.5]), divisors))
    add("maximum broadcast", torch.maximum, [[1, 2, 3], [3, 2, 1]], [2, 2, 2])
    rows = [[0, 0, 0], [1, 1, 1], [2, 2, 1], [-1, 1, -1], [3, 0, 0], [0, 2, 5]]
    for key, axis in [("1", 1), ("[0,1]", (0, 1))]:
        add(f"sum {key}", lambda t: t.sum(axis), rows)
        add(f"max {key}", lambda t: t.amax(axis), rows)
        add(f"min {key}", lambda t: t.amin(axis), rows)
        add(f"variance {key}", lambda t: t.var(axis), rows)
        add(f"std {key}", lambda t: t.std(axis), rows)
        add(f"stdOfAll {key}", lambda t: t.std(axis, correction=0), rows)
        for order in [1, 2, inf]:
            add(f"norm{order} {key}", lambda t: torch.linalg.vector_norm(t, order, axis), rows)
    add("prod 1", lambda t: t.prod(1), rows)
    extremes = [[nan, 1, 2], [1, nan, 2], [1, 2, nan], [inf, inf, 1], [-inf, -inf, -inf], [-inf, 1, inf]]
    for name, f in [("sum", torch.sum), ("max", torch.amax), ("min", torch.amin), ("logSumExp", torch.logsumexp)]:
        add(f"{name} -1", lambda t: f(t, -1), extremes)
    add("norm1 -1", lambda t: torch.linalg.vector_norm(t, 1, -1), extremes[3:])
    add("softmax -1", lambda t: t.softmax(-1), extremes)
    add("logSoftmax -1", lambda t: t.log_softmax(-1), extremes)
    add("std single", lambda t: t.std(1, correction=0), [[1], [0]])
    add("layerNorm", lambda t, g, c: F.layer_norm(t, (3,), g, c), rows, [1, 2, 3], [0, 0, 1])
    add("rmsNorm", lambda t, g: F.rms_norm(t, (3,), g, 1e-5), rows, [1, 2, 3])
    same, near = [[1, 2, 3], [0, -1, 5]], [[1, 2, 4], [0, -1, 5]]
    for reduction in ["mean", "sum", "none"]:
        add(f"meanAbsoluteError {reduction}", lambda p, t: F.l1_loss(p, t, reduction=reduction), same, near)
        add(f"meanSquaredError {reduction}", lambda p, t: F.mse_loss(p, t, reduction=reduction), same, near)
        add(f"binaryCrossEntropy {reduction}", lambda t: F.binary_cross_entropy_with_logits(t, torch.tensor([[0.0], [1.0], [0.3], [1.0]]).expand(4, 3), reduction=reduction), [[0, 200, -200], [0, 200, -200], [0, 1, -1], [0, 1000, -1000]])
        ignored = torch.tensor([-100, -100])
        add(f"crossEntropyIgnored {reduction}", lambda t: F.cross_entropy(t, ignored, reduction=reduction), same)
        add(f"crossEntropyIgnoredSmooth {reduction}", lambda t: F.cross_entropy(t, ignored, reduction=reduction, label_smoothing=0.1), same)
    write("edges", cases)


def optimizers():
    """A few steps of each optimizer on two parameters with given gradients and a changing rate."""
    start = [normal(2, 3), normal(3)]
    steps = [[normal(2, 3), normal(3)] for _ in range(5)]
    rates = [0.1, 0.05, 0.1, 0.02, 0.01]
    kinds = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
        "dampened": (torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}),
        "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        "adam": (torch.optim.Adam, {"weight_decay": 0.1}),
        "adamW": (torch.optim.AdamW, {"weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6}),
    }
    cases = {"start": [array(x) for x in start], "gradients": [[array(g) for g in step] for step in steps], "rates": rates}
    for name, (kind, options) in kinds.items():
        parameters = [torch.tensor(x, requires_grad=True) for x in start]
        optimizer = kind(parameters, lr=0.1, **options)
        for step, rate in zip(steps, rates):
            optimizer.param_groups[0]["lr"] = rate
            for parameter, gradient in zip(parameters, step):
                parameter.grad = torch.tensor(gradient)
            optimizer.step()
        cases[name] = [array(p) for p in parameters]
    clipped = [torch.zeros(2, 3), torch.zeros(3)]
    for p, g in zip(clipped, steps[0]):
        p.grad = torch.tensor(g)
    cases["norm"] = number(torch.nn.utils.clip_grad_norm_(clipped, 1.0))
    cases["clipped"] = [array(p.grad) for p in clipped]

    def schedule(make, n=12):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        made = make(optimizer)
        rates = []
        for _ in range(n):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            made.step()
        return rates

    lr = torch.optim.lr_scheduler
    cases["schedules"] = {
        "step": schedule(lambda o: lr.StepLR(o, 3, 0.5)),
        "cosine": schedule(lambda o: lr.CosineAnnealingLR(o, 10, 0.1), 11),
    }
    write("optimizers", cases)


def files():
    """Files as NumPy writes them."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(OUT / "float32.npy", x)
    np.save(OUT / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)))
    np.savez(OUT / "several.npz", half=x.astype(np.float16) / 3, long=np.array([-1, 2**31 - 1]), flags=np.array([True, False]),
             byte=np.array([[255]], np.uint8), number=np.float32(7), **{"layers.0.w": x})
    np.savez_compressed(OUT / "compressed.npz", x=x)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["files", "gradients", "special", "edges", "optimizers"]:
        globals()[name]()
