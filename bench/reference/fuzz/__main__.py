"""
Programs of one tensor op each with the answers of PyTorch and NumPy, as a gzip of one JSON object a line.

The samples that `npm test` runs: every *.json.gz of test/tensor/fixtures/fuzz. Each is written from the makers of some modules of this folder,
so that a new op changes one file only:
    python bench/reference/fuzz --count 4000 --seed 1 --out test/tensor/fixtures/fuzz/programs.json.gz
    python bench/reference/fuzz --modules linalg --count 300 --seed 1 --out test/tensor/fixtures/fuzz/linalg.json.gz
Without --modules the makers are those of BASE. A module may have `corners()`: cases that are in every sample of it.
Many more programs, on both backends:
    python bench/reference/fuzz --count 20000 --seed 2 --out /tmp/fuzz.json.gz && node dist/bench/fuzz.js /tmp/fuzz.json.gz
"""

import argparse
import gzip
import importlib
import itertools
import json
import random
import warnings
from collections import Counter

import torch

from answers import program
from registry import makers_of
from values import Source

BASE = "choosing,creation,elementwise,layout,networks,products,reductions,refusals,corners"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--count", type=int, default=20000)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", required=True)
parser.add_argument("--modules", default=BASE, help="the modules whose makers are used, by comma")
parser.add_argument("--op", help="programs of this op only")
options = parser.parse_args()

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
STORAGES = ["float32"] * 5 + ["float16", "bfloat16", "float64"]

modules = [importlib.import_module(name) for name in options.modules.split(",")]
makers = makers_of(modules)
ops = [options.op] if options.op else sorted([*makers, *["refusals"] * (3 if "refusals" in makers else 0)])


def written(case, storage, source):
    return json.dumps(program(case, storage, source), separators=(",", ":"), allow_nan=False)


def numbers_of(op, place):
    """The random numbers of an op's program: they stay when another op is added or renamed."""
    return random.Random(f"{options.seed} {op} {place}")


lines = []
if not options.op:
    corners = [pair for module in modules if hasattr(module, "corners") for pair in module.corners()]
    lines = [written(case, storage, Source(numbers_of("corner", i), storage)) for i, (storage, case) in enumerate(corners)]
counts = Counter()
for op in itertools.islice(itertools.cycle(ops), options.count):
    numbers = numbers_of(op, counts[op])
    counts[op] += 1
    source = Source(numbers, numbers.choice(STORAGES))
    make = source.choice(makers[op])
    lines.append(written(make(source, op), source.storage, source))

with open(options.out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
    packed.write("\n".join(lines).encode())
print(f"{len(lines)} programs of {len(set(ops))} ops")
