"""PyTorch's side of bench/tensor.ts: microseconds of processor an operation, as a JSON object on one line.

Run: python bench/reference/tensor_ops.py THREADS ROUNDS
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
rounds = int(sys.argv[2])
x = torch.randn(32, 64)
y = torch.randn(32, 64)
w = torch.randn(64, 64)
b, h, t, d = 8, 4, 128, 32
q, k, v = (torch.randn(b, h, t, d) for _ in range(3))
wide = torch.randn(8, 128, 128)
weight = torch.randn(128, 512)
few = torch.randn(8)
fewer = torch.randn(8)


def attention(q, k, v):
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * (d**-0.5)
    return torch.einsum("bhqk,bhkd->bhqd", scores.softmax(-1), v)


def backward(f, *inputs):
    leaves = [i.detach().requires_grad_() for i in inputs]
    return torch.autograd.grad(f(*leaves).sum(), leaves)


cases = {
    "small add": (lambda: few + fewer, 1000),
    "small sum of product, backward": (lambda: backward(lambda a, b: a * b, few, fewer), 100),
    "add": (lambda: x + y, 200),
    "matmul": (lambda: x @ w, 200),
    "softmax": (lambda: x.softmax(-1), 200),
    "sum": (lambda: x.sum(1), 200),
    "gelu": (lambda: F.gelu(x), 200),
    "rearrange": (lambda: x.reshape(32, 8, 8).permute(1, 0, 2).contiguous(), 200),
    "einsum weights": (lambda: torch.einsum("btd,dh->bth", wide, weight), 20),
    "einsum weights, backward": (lambda: backward(lambda a, b: torch.einsum("btd,dh->bth", a, b), wide, weight), 10),
    "attention": (lambda: attention(q, k, v), 10),
    "attention, backward": (lambda: backward(attention, q, k, v), 5),
}
result = {}
for name, (f, n) in cases.items():
    f()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(n):
            f()
        times.append((time.process_time() - start) / n * 1e6)
    result[name] = [min(times), statistics.median(times)]
print(json.dumps(result))
