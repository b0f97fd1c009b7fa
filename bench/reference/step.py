"""One training step of bench/step.ts's model in PyTorch on the CPU. Started by bench/step.ts; speaks JSON lines.

First line in: the configuration. Then each line in is a number of steps; each line out gives their milliseconds, the
peak bytes of tensors and the peak resident set during them.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

from model import Classifier
from peak import peak_bytes

c = json.loads(sys.stdin.readline())
torch.set_num_threads(c["threads"])
torch.manual_seed(0)
net = Classifier(
    c["vocabularySize"], c["classes"], c["maxLength"], c["features"], c["heads"], c["layers"], c["hidden"],
    c["dropout"], c["activation"], learned=False,
).train()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
ids = torch.tensor(c["ids"]).reshape(c["rows"], c["time"])
labels = torch.tensor(c["labels"])
mask = ids != 0


autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=c["precision"] == "bfloat16")


def step():
    with autocast:
        loss = F.cross_entropy(net(ids, mask), labels)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def held():
    """Bytes of the batch, parameters, gradients and optimizer state."""
    total = ids.nbytes + labels.nbytes + mask.nbytes
    for parameter in net.parameters():
        total += parameter.nbytes + (parameter.grad.nbytes if parameter.grad is not None else 0)
        total += sum(x.nbytes for x in optimizer.state[parameter].values())
    return total


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        loss = step()
        times.append(1000 * (time.perf_counter() - start))
    answer = {"times": times, "loss": loss, "peakBytes": held() + peak_bytes(step), "resident": resident()}
    print(json.dumps({**answer, "torch": torch.__version__.split("+")[0]}), flush=True)
