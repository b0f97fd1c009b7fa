"""bench/batching.ts's training in PyTorch on the CPU, with the batches that transformers makes.

A Trainer's collator pads to the batch's longest, or to a fixed length; `group_by_length` samples with
`get_length_grouped_indices`. Line in: a run as JSON. Line out: what it took and reached.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Sampler

from model import Classifier
from peak import peak_bytes


def get_length_grouped_indices(lengths, batch_size, mega_batch_mult=None, generator=None):
    """As transformers' trainer_pt_utils.py has it: shuffled mega-batches, each sorted, the longest sequence first."""
    if mega_batch_mult is None:
        mega_batch_mult = min(len(lengths) // (batch_size * 4), 50)
        if mega_batch_mult == 0:
            mega_batch_mult = 1
    indices = torch.randperm(len(lengths), generator=generator)
    megabatch_size = mega_batch_mult * batch_size
    megabatches = [indices[i : i + megabatch_size].tolist() for i in range(0, len(lengths), megabatch_size)]
    megabatches = [sorted(megabatch, key=lambda i: lengths[i], reverse=True) for megabatch in megabatches]
    megabatch_maximums = [lengths[megabatch[0]] for megabatch in megabatches]
    max_idx = torch.argmax(torch.tensor(megabatch_maximums)).item()
    megabatches[0][0], megabatches[max_idx][0] = megabatches[max_idx][0], megabatches[0][0]
    return [i for megabatch in megabatches for i in megabatch]


class LengthGroupedSampler(Sampler):
    def __init__(self, lengths, batch_size, generator):
        self.lengths, self.batch_size, self.generator = lengths, batch_size, generator

    def __len__(self):
        return len(self.lengths)

    def __iter__(self):
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=self.generator))


def collator(width):
    """DataCollatorWithPadding: to `width`, or to the batch's longest when there is none."""

    def collate(examples):
        time = width or max(len(tokens) for tokens, _ in examples)
        ids = torch.zeros(len(examples), time, dtype=torch.long)
        for row, (tokens, _) in enumerate(examples):
            ids[row, : len(tokens)] = torch.tensor(tokens)
        return ids, ids != 0, torch.tensor([label for _, label in examples])

    return collate


def run(c):
    torch.set_num_threads(c["threads"])
    torch.manual_seed(c["seed"])
    net = Classifier(
        c["vocabularySize"], c["classes"], c["maxLength"], c["features"], c["heads"], c["layers"], c["hidden"],
        c["dropout"], "relu", learned=False,
    ).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=c["peak"])
    data = c["examples"]
    generator = torch.Generator().manual_seed(c["seed"])
    grouped = LengthGroupedSampler([len(tokens) for tokens, _ in data], c["batchSize"], generator)
    loader = DataLoader(
        data,
        batch_size=c["batchSize"],
        collate_fn=collator(c["maxLength"] if c["strategy"] == "fixed length" else None),
        **({"sampler": grouped} if c["strategy"] == "uniform length" else {"shuffle": True, "generator": generator}),
    )
    total = c["epochs"] * len(loader)
    taken = 0

    def step(ids, mask, labels):
        rate = (taken + 1) / c["warmUp"] if taken < c["warmUp"] else (total - taken) / (total - c["warmUp"])
        optimizer.param_groups[0]["lr"] = c["peak"] * rate
        loss = F.cross_entropy(net(ids, mask), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    widest = None
    useful = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    for _ in range(c["epochs"]):
        for ids, mask, labels in loader:
            step(ids, mask, labels)
            taken += 1
            useful += int(mask.sum())
            if widest is None or ids.numel() > widest[0].numel():
                widest = ids, mask, labels
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began

    net.eval()
    right = 0
    with torch.no_grad():
        validation = c["validation"]
        for i in range(0, len(validation), 100):
            ids, mask, labels = collator(None)(validation[i : i + 100])
            right += int((net(ids, mask).argmax(1) == labels).sum())

    def held():
        kept = [x for p in net.parameters() for x in (p, p.grad, *optimizer.state[p].values()) if x is not None]
        return sum(x.nbytes for x in kept)

    net.train()
    taken = 0
    return {
        "seconds": seconds,
        "cpuSeconds": cpu_seconds,
        "steps": total,
        "useful": useful,
        "accuracy": right / len(validation),
        "peakBytes": peak_bytes(lambda: step(*widest)) + held(),
    }


for line in sys.stdin:
    print(json.dumps({**run(json.loads(line)), "torch": torch.__version__.split("+")[0]}), flush=True)
