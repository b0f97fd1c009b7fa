"""
Programs of one tensor op each with the answers of PyTorch and NumPy, as a gzip of one JSON object a line.

The sample that `npm test` runs (test/tensor/fixtures/fuzz/programs.json.gz):
    python bench/reference/fuzz --count 4000 --seed 1 --out test/tensor/fixtures/fuzz/programs.json.gz
The whole, on both backends:
    python bench/reference/fuzz --count 20000 --seed 2 --out /tmp/fuzz.json.gz && node dist/bench/fuzz.js /tmp/fuzz.json.gz
"""

import argparse
import gzip
import json
import random
import warnings

import torch

import choosing, creation, elementwise, layout, networks, products, reductions, refusals  # noqa: E401, F401
from answers import program
from corners import corners
from registry import makers
from values import Source

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--count", type=int, default=20000)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", required=True)
parser.add_argument("--op", help="programs of this op only")
options = parser.parse_args()

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
STORAGES = ["float32"] * 5 + ["float16", "bfloat16", "float64"]

random_numbers = random.Random(options.seed)
ops = [options.op] if options.op else sorted([*makers, *["refusals"] * 3])
written = lambda case, storage, source: json.dumps(program(case, storage, source), separators=(",", ":"), allow_nan=False)
lines = []
if not options.op:
    lines = [written(case, storage, Source(random_numbers, storage)) for storage, case in corners()]
for i in range(options.count):
    op = ops[i % len(ops)]
    storage = random_numbers.choice(STORAGES)
    source = Source(random_numbers, storage)
    make = source.choice(makers[op])
    lines.append(written(make(source, op), storage, source))

with open(options.out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
    packed.write("\n".join(lines).encode())
print(f"{len(lines)} programs of {len(set(ops))} ops")
