"""What Python's tokenizers library gives for files of several kinds: test/data/text/fixtures/*.json.gz.

Run: pip install tokenizers==0.23.3 sentencepiece && python bench/reference/tokenizers/ids.py
"""

import gzip
import hashlib
import json
import pathlib

import tokenizers
from kinds import characters, kinds, pieces
from lines import lines

LINES = lines(2000)
# Lines whose tokens are written whole; of the others only a hash, to keep the files small.
WHOLE = 150


def units(text):
    """The UTF-16 index of each character, which JavaScript counts."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def tokens(encoding, texts):
    places = [units(text) for text in texts]
    offsets = []
    for (begin, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        offsets += [0, 0] if sequence is None else [places[sequence][begin], places[sequence][end]]
    return {"ids": encoding.ids, "typeIds": encoding.type_ids, "offsets": offsets}


def digest(found):
    text = ";".join(",".join(map(str, found[key])) for key in ("ids", "typeIds", "offsets"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def case(tokenizer):
    single = [tokens(tokenizer.encode(line), [line]) for line in LINES]
    pairs = [(LINES[i], LINES[-i - 1]) for i in range(0, 400, 2)]
    paired = [tokens(tokenizer.encode(*pair), pair) for pair in pairs]
    plain = [tokenizer.encode(line, add_special_tokens=False).ids for line in LINES[:WHOLE]]
    truncated = []
    for strategy in ("longest_first", "only_first", "only_second"):
        for direction in ("right", "left"):
            tokenizer.enable_truncation(max_length=16, strategy=strategy, direction=direction)
            results = []
            for pair in pairs[:60]:
                try:
                    results.append(tokens(tokenizer.encode(*pair), pair))
                except Exception:
                    results.append(None)
            truncated.append({"strategy": strategy, "direction": direction, "results": results})
    tokenizer.no_truncation()
    return {
        "file": json.loads(tokenizer.to_str()),
        "single": single[:WHOLE],
        "digests": "".join(map(digest, single)),
        "pairs": "".join(map(digest, paired)),
        "plain": plain,
        "truncated": [{**each, "results": ["" if r is None else digest(r) for r in each["results"]]} for each in truncated],
        "decoded": [tokenizer.decode(each["ids"]) for each in single[:WHOLE]],
        "decodedWhole": [tokenizer.decode(each["ids"], skip_special_tokens=False) for each in single[:WHOLE]],
    }


folder = pathlib.Path(__file__).parents[3] / "test/data/text/fixtures"
folder.mkdir(parents=True, exist_ok=True)


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


write("lines", {"version": tokenizers.__version__, "lines": LINES})
for name, tokenizer in kinds().items():
    write(name, case(tokenizer))
write(
    "parts",
    [
        {"file": json.loads(tokenizer.to_str()), "digests": "".join(digest(tokens(tokenizer.encode(line), [line])) for line in LINES[:300])}
        for tokenizer in [*pieces(), *characters()]
    ],
)
