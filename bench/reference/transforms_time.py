"""Times torch.func's per-example gradients of the models of bench/transforms.ts.

    pip install torch
    python bench/reference/transforms_time.py
"""

import statistics
import time

import torch
import torch.nn.functional as F
from torch.func import grad, vmap

torch.manual_seed(1)
FEATURES, TIME, WIDTH, SIZE = 128, 32, 64, 64


def weight(*shape):
    return torch.randn(shape) / shape[0] ** 0.5


MLP = {"first": weight(FEATURES, 256), "second": weight(256, 256), "third": weight(256, 10)}
BLOCK = {name: weight(WIDTH, WIDTH) for name in ("q", "k", "v", "out")}
BLOCK |= {"up": weight(WIDTH, 4 * WIDTH), "down": weight(4 * WIDTH, WIDTH), "head": weight(WIDTH, 10)}


def mlp(p, x, label):
    return F.cross_entropy(F.relu(F.relu(x @ p["first"]) @ p["second"]) @ p["third"], label)


def block(p, tokens, label):
    x = F.layer_norm(tokens, (WIDTH,))
    scores = (x @ p["q"]) @ (x @ p["k"]).mT / WIDTH**0.5
    y = tokens + torch.softmax(scores, -1) @ (x @ p["v"]) @ p["out"]
    z = y + F.gelu(F.layer_norm(y, (WIDTH,)) @ p["up"]) @ p["down"]
    return F.cross_entropy(z.mean(-2) @ p["head"], label)


def milliseconds(f):
    for _ in range(3):
        f()
    times = []
    for _ in range(15):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def compare(name, loss, weights, x, labels):
    batched = milliseconds(lambda: vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, labels))
    looped = milliseconds(lambda: [grad(loss)(weights, x[i], labels[i]) for i in range(SIZE)])
    whole = milliseconds(lambda: grad(loss)(weights, x, labels))
    print(f"{name:20}{batched:8.1f}{looped:8.1f}{whole:8.1f}{looped / batched:12.1f}{batched / whole:16.1f}")


print(f"torch {torch.__version__}, batch of {SIZE}; medians in ms")
print("                    batched    loop   whole  loop/batched  batched/whole")
compare("MLP", mlp, MLP, torch.randn(SIZE, FEATURES), torch.randint(0, 10, (SIZE,)))
compare("Transformer block", block, BLOCK, torch.randn(SIZE, TIME, WIDTH), torch.randint(0, 10, (SIZE,)))
