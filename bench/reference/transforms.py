"""Writes test/tensor/fixtures/reference/transforms.json: what torch.func gives in float64.

    pip install torch
    python bench/reference/transforms.py

test/tensor/transform/reference.test.ts has the same functions in TypeScript, by the names used here.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.func import grad, hessian, jacrev, jvp, vjp, vmap

FILE = Path(__file__).parents[2] / "test/tensor/fixtures/reference/transforms.json"
torch.manual_seed(5)


def made(*shape, scale=1.0):
    """Numbers that float32 holds."""
    return (scale * torch.randn(shape)).float().double()


def array(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{n:.12g}") for n in tensor.detach().double().flatten().tolist()]}


def tree(value):
    if isinstance(value, torch.Tensor):
        return array(value)
    if isinstance(value, dict):
        return {key: tree(each) for key, each in value.items()}
    return [tree(each) for each in value]


inputs = {
    "x": made(6, 4),
    "labels": torch.tensor([0, 2, 1, 1, 0, 2]),
    "targets": (torch.arange(6) % 2).double(),
    "beta": made(4, scale=0.5),
    "v": made(4),
    "mlp": {
        "w1": made(4, 5, scale=0.5),
        "b1": made(5, scale=0.1),
        "scale": 1 + made(5, scale=0.1),
        "offset": made(5, scale=0.1),
        "w2": made(5, 3, scale=0.5),
        "b2": made(3, scale=0.1),
    },
    "tokens": made(6, 3, 4),
    "block": {
        "q": made(4, 4, scale=0.5),
        "k": made(4, 4, scale=0.5),
        "v": made(4, 4, scale=0.5),
        "out": made(4, 4, scale=0.5),
        "up": made(4, 8, scale=0.5),
        "down": made(8, 4, scale=0.5),
    },
    "images": made(3, 5, 5, 2),
    "filter": made(3, 3, 2, 2, scale=0.3),
}


def mlp(p, x, label):
    hidden = F.gelu(x @ p["w1"] + p["b1"])
    hidden = F.layer_norm(hidden, (5,), p["scale"], p["offset"])
    return F.cross_entropy(hidden @ p["w2"] + p["b2"], label)


def attend(p, x):
    """One head over [time, features]."""
    q, k, v = x @ p["q"], x @ p["k"], x @ p["v"]
    return torch.softmax(q @ k.mT / 2, -1) @ v @ p["out"]


def block(p, x, target):
    x = x + attend(p, F.layer_norm(x, (4,)))
    x = x + F.relu(F.layer_norm(x, (4,)) @ p["up"]) @ p["down"]
    return ((x.mean(0) - target) ** 2).sum()


def logistic(beta, x, targets):
    z = x @ beta
    return (F.softplus(z) - targets * z).mean()


def picture(filter, image):
    """Images are [height, width, channels] here, and the filter is [height, width, in, out]."""
    y = F.conv2d(image.permute(2, 0, 1)[None], filter.permute(3, 2, 0, 1))
    return torch.tanh(F.max_pool2d(y, 3)).sum()


def curve(x):
    return torch.sin(x) * torch.cumsum(x * x, 0)


def two(a, b):
    return {"outer": torch.outer(a, torch.tanh(b)), "dot": a @ b}


def penalty(start, xs, labels):
    """The gradient of the sum of all squared per-example gradients.

    By a loop: `grad` of `vmap(grad(mlp))` in torch.func 2.15 gives another answer (-34.82 for the first weight), which finite
    differences (-37.17) contradict.
    """
    p = {name: value.clone().requires_grad_() for name, value in start.items()}
    total = 0
    for x, label in zip(xs, labels):
        gradients = torch.autograd.grad(mlp(p, x, label), list(p.values()), create_graph=True)
        total = total + sum((g**2).sum() for g in gradients)
    return dict(zip(p, torch.autograd.grad(total, list(p.values()))))


def answers():
    i = inputs
    first, second = i["x"][0], i["x"][1]
    primal = lambda beta: logistic(beta, i["x"], i["targets"])
    value, pull = vjp(two, first, second)
    cotangent = {"outer": i["block"]["q"], "dot": torch.tensor(0.5, dtype=torch.float64)}
    jvp_two = jvp(two, (first, second), (i["v"], i["beta"]))
    attend_jvp = jvp(lambda x: attend(i["block"], x), (i["tokens"][0],), (i["tokens"][1],))
    return {
        "perExampleMlp": vmap(grad(mlp), in_dims=(None, 0, 0))(i["mlp"], i["x"], i["labels"]),
        "perExampleBlock": vmap(grad(block), in_dims=(None, 0, 0))(i["block"], i["tokens"], i["x"]),
        "perExampleFilter": vmap(grad(picture), in_dims=(None, 0))(i["filter"], i["images"]),
        "logisticGradient": grad(primal)(i["beta"]),
        "logisticHessian": hessian(primal)(i["beta"]),
        "logisticHvp": hessian(primal)(i["beta"]) @ i["v"],
        "curveJacobian": jacrev(curve)(first),
        "curveJacobians": vmap(jacrev(curve))(i["x"]),
        "curveHessians": vmap(hessian(lambda x: curve(x).sum()))(i["x"]),
        "attendJacobian": jacrev(attend, argnums=1)(i["block"], i["tokens"][0]),
        "mlpHessian": hessian(lambda x: mlp(i["mlp"], x, i["labels"][0]))(first),
        "twoJvp": {"value": jvp_two[0], "tangent": jvp_two[1]},
        "attendJvp": {"value": attend_jvp[0], "tangent": attend_jvp[1]},
        "twoVjp": {"value": value, "gradients": pull(cotangent)},
        "pairs": vmap(vmap(lambda a, b: torch.dot(a, b) / (1 + a.norm()), (None, 0)), (0, None))(i["x"], i["x"]),
        "columns": vmap(lambda a, b: torch.outer(a, b), in_dims=(1, 1), out_dims=2)(i["x"], i["x"]),
        "gradientThroughVmap": grad(lambda w: vmap(lambda x: torch.softmax(x @ w, 0)[0])(i["x"]).prod())(i["mlp"]["w1"]),
        "penalty": penalty(i["mlp"], i["x"], i["labels"]),
    }


FILE.write_text(json.dumps({"inputs": tree(inputs), "answers": tree(answers())}) + "\n")
