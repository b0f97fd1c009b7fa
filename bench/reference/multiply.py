"""The fastest product of two square float32 matrices in PyTorch on the CPU. Started by bench/step.ts; speaks JSON lines.

Each line in gives `size` and `threads`; each line out is the time in milliseconds.
"""

import json
import sys
import time

import torch

for line in sys.stdin:
    c = json.loads(line)
    torch.set_num_threads(c["threads"])
    a, b = torch.randn(c["size"], c["size"]), torch.randn(c["size"], c["size"])
    fastest = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        a @ b
        fastest = min(fastest, time.perf_counter() - start)
    print(json.dumps(1000 * fastest), flush=True)
