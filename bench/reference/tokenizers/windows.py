"""The windows that Python's tokenizers library cuts long texts into: test/data/text/fixtures/windows.json.gz.

It reads the tokenizers of the other fixtures: run ids.py before, then python bench/reference/tokenizers/windows.py
"""

import gzip
import hashlib
import json
import pathlib

from tokenizers import Tokenizer

folder = pathlib.Path(__file__).parents[3] / "test/data/text/fixtures"


def read(name):
    return json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))


def digest(encoding):
    return hashlib.sha256(",".join(map(str, encoding.ids + encoding.type_ids)).encode()).hexdigest()[:8]


lines = read("lines")["lines"]
cases = []
for name in ("BERT", "RoBERTa", "Llama 3"):
    tokenizer = Tokenizer.from_str(json.dumps(read(name)["file"]))
    for direction in ("right", "left"):
        for pair, strategy, stride in ((None, "longest_first", 0), (None, "longest_first", 5), ("a fox", "only_first", 3), ("a fox", "only_second", 3)):
            tokenizer.enable_truncation(max_length=24, stride=stride, strategy=strategy, direction=direction)
            windows = []
            for line in lines[80:380]:
                encoding = tokenizer.encode(*((line,) if pair is None else (line, pair) if strategy == "only_first" else (pair, line)))
                windows.append("".join(map(digest, [encoding, *encoding.overflowing])))
            cases.append({"name": name, "direction": direction, "strategy": strategy, "stride": stride, "pair": pair, "windows": windows})
text = json.dumps(cases, separators=(",", ":"))
(folder / "windows.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
