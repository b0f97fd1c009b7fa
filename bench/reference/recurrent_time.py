"""Times PyTorch's LSTM and GRU on the shapes of bench/recurrent.ts.

    pip install torch
    python bench/reference/recurrent_time.py
"""

import time

import torch

BATCH, TIME, FEATURES, HIDDEN = 32, 30, 64, 128
x = torch.randn(BATCH, TIME, FEATURES)


def milliseconds(f):
    times = []
    for _ in range(45):
        start = time.perf_counter()
        f()
        times.append((time.perf_counter() - start) * 1e3)
    times = sorted(times[5:])
    return f"{times[0]:.1f} ms (median {times[20]:.1f})"


for name in "LSTM", "GRU":
    layer = getattr(torch.nn, name)(FEATURES, HIDDEN, batch_first=True)

    def forward():
        with torch.no_grad():
            layer(x)

    def both():
        layer.zero_grad()
        layer(x)[0].square().sum().backward()

    print(f"{name}: forward {milliseconds(forward)}, with gradients {milliseconds(both)}")
