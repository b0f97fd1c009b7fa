"""Python's tokenizers for bench/tokenizers.ts: first line the tokenizer.json, second a JSON file of texts, then a line for each round, answered with JSON.

A round is `single` (one thread, one text after the other) or `batch` (encode_batch, all threads).
"""

import json
import os
import sys
import time

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.stdin.readline().strip())
tokenizer.no_padding()
tokenizer.no_truncation()
with open(sys.stdin.readline().strip()) as file:
    texts = json.load(file)
for line in sys.stdin:
    started, cpu = time.perf_counter(), time.process_time()
    if line.strip() == "batch":
        tokens = sum(len(each.ids) for each in tokenizer.encode_batch(texts))
    else:
        tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
    found = {"tokens": tokens, "seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu}
    print(json.dumps(found), flush=True)
