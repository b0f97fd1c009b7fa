"""Loads with transformers what `model.save` wrote, and compares the outputs.

    pip install torch transformers==5.24.0
    node dist/bench/saved.js /tmp/saved && python bench/reference/pretrained_saved.py /tmp/saved
"""

import json
import sys
from pathlib import Path

import torch
import transformers as hf

for folder in sorted(Path(sys.argv[1]).iterdir()):
    name = json.loads((folder / "config.json").read_text())["architectures"][0]
    model, info = getattr(hf, name).from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    expected = json.loads((folder / "expected.json").read_text())
    mask = torch.tensor(expected["mask"])
    with torch.no_grad():
        outputs = model.float().eval()(input_ids=torch.tensor(expected["ids"]), attention_mask=mask)
    values = outputs.get("logits", outputs.get("last_hidden_state"))
    off = (values - torch.tensor(expected["values"]).view(expected["shape"])).abs()
    if off.ndim == 3:
        off = off * mask[..., None]
    faults = {key: sorted(value) for key, value in info.items() if value}
    assert not faults, (folder.name, faults)
    assert off.max() < 1e-5, (folder.name, off.max())
    print(f"{folder.name:28}{name:38}{off.max():.1e}")
