"""One training step of bench/amp.ts's model in PyTorch on the CPU, in each precision. Started by bench/amp.ts.

First line in: the configuration. Then each line in is `PRECISION STEPS`; each line out gives the steps' milliseconds and the
peak bytes of tensors during a step, above what parameters and optimizer hold.
"""

import contextlib
import json
import sys
import time

import torch
import torch.nn.functional as F

from model import Classifier
from peak import peak_bytes

c = json.loads(sys.stdin.readline())
torch.set_num_threads(c["threads"])
ids = torch.tensor(c["ids"]).reshape(c["rows"], c["time"])
labels = torch.tensor(c["labels"])
mask = ids != 0
HALF = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def setting(precision):
    torch.manual_seed(0)
    net = Classifier(
        c["vocabularySize"], c["classes"], c["maxLength"], c["features"], c["heads"], c["layers"], c["hidden"],
        c["dropout"], c["activation"], learned=False,
    ).train()
    if precision == "float64":
        net = net.double()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "float16")
    cast = torch.autocast("cpu", dtype=HALF[precision]) if precision in HALF else contextlib.nullcontext()

    def step():
        optimizer.zero_grad()
        with cast:
            loss = F.cross_entropy(net(ids, mask), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    return step


settings = {}
for line in sys.stdin:
    precision, steps = line.split()
    try:
        step = settings.setdefault(precision, None) or setting(precision)
        settings[precision] = step
        step()
        times = []
        for _ in range(int(steps)):
            start = time.perf_counter()
            step()
            times.append(1000 * (time.perf_counter() - start))
        print(json.dumps({"times": times, "peakBytes": peak_bytes(step)}), flush=True)
    except RuntimeError as error:
        print(json.dumps({"error": str(error).splitlines()[0]}), flush=True)
