"""Adapters of PEFT for the checkpoints of pretrained.py, and a check of ours in PEFT.

    pip install torch transformers==5.24.0 peft==0.21.2
    python bench/reference/lora.py              # writes test/nn/lora/fixtures/<checkpoint>
    node dist/bench/adapters.js /tmp/adapters   # trains adapters here, and saves them with what the models compute
    python bench/reference/lora.py /tmp/adapters    # loads them into PEFT, and compares the outputs

Each folder has what `save_pretrained` of a PeftModel writes, with changes that are not 0, and

- reference.safetensors: the `logits` in evaluation mode, for the inputs of the checkpoint's reference.json, `merged` (those of the model
  after `merge_and_unload`), and `gradients.<parameter>` of the loss.
- reference.json: the loss, that of the checkpoint's labels.
"""

import json
import shutil
import sys
from pathlib import Path

import peft
import torch
import torch.nn.functional as F
import transformers as hf
from safetensors.torch import load_file, save_file

CHECKPOINTS = Path(__file__).parents[2] / "test/nn/pretrained/fixtures"
FOLDER = Path(__file__).parents[2] / "test/nn/lora/fixtures"

CASES = {
    "bert-sequence": dict(task_type="SEQ_CLS", r=4, lora_alpha=6),
    "gpt2": dict(task_type="CAUSAL_LM", r=3, lora_alpha=5, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True),
    "llama": dict(
        task_type="CAUSAL_LM", r=2, lora_alpha=3, target_modules=["q_proj", "v_proj", "gate_proj"], use_rslora=True
    ),
}


def checkpoint(name):
    reference = json.loads((CHECKPOINTS / name / "reference.json").read_text())
    model = getattr(hf, reference["class"]).from_pretrained(
        CHECKPOINTS / name, attn_implementation="eager", dtype=torch.float32
    ).eval()
    given = {"input_ids": torch.tensor(reference["ids"]), "attention_mask": torch.tensor(reference["mask"])}
    if "tokenTypes" in reference:
        given["token_type_ids"] = torch.tensor(reference["tokenTypes"])
    return model, given, torch.tensor(reference["labels"])


def loss_of(logits, labels):
    if logits.ndim == 2:
        return F.cross_entropy(logits, labels)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def write(name, options):
    torch.manual_seed(sum(map(ord, name)))
    base, given, labels = checkpoint(name)
    model = peft.get_peft_model(base, peft.LoraConfig(**options)).eval()
    with torch.no_grad():
        for parameter, value in model.named_parameters():
            if "lora_" in parameter or "modules_to_save" in parameter:
                value.copy_(0.3 * torch.randn_like(value))
    logits = model(**given).logits
    loss = loss_of(logits, labels)
    loss.backward()
    tensors = {"logits": logits}
    for parameter, value in model.named_parameters():
        if value.grad is not None:
            tensors[f"gradients.{parameter.replace('.default', '').replace('.modules_to_save', '')}"] = value.grad
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    # A path of the machine that wrote it.
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = name
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    tensors["merged"] = model.merge_and_unload()(**given).logits
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, folder / "reference.safetensors")
    reference = {"peft": peft.__version__, "loss": loss.item()}
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")
    print(f"{name}: loss {loss.item():.4f}, {sum(file.stat().st_size for file in folder.iterdir()):,} bytes")


def check(folder):
    """The largest difference between what we computed with an adapter and what PEFT computes with the files."""
    described = json.loads((folder / "outputs.json").read_text())
    base, given, _ = checkpoint(described["checkpoint"])
    model = peft.PeftModel.from_pretrained(base, folder).eval()
    with torch.no_grad():
        logits = model(**given).logits
    ours = load_file(folder / "outputs.safetensors")["logits"]
    mask = given["attention_mask"].bool()
    difference = (logits - ours).abs() if logits.ndim == 2 else (logits - ours)[mask].abs()
    print(f"{folder.name}: largest difference {difference.max():.2e}, largest logit {logits.abs().max():.2f}")
    return difference.max() < 1e-5 * max(1, logits.abs().max())


if len(sys.argv) > 1:
    results = [check(folder) for folder in sorted(Path(sys.argv[1]).iterdir())]
    sys.exit(0 if results and all(results) else 1)
for case in CASES.items():
    write(*case)
