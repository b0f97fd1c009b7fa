"""One fine-tuning run by transformers' Trainer. Started by bench/finetune.ts with the path of a job; prints a line of JSON.

    pip install torch transformers==5.24.0 accelerate
"""

import json
import re
import sys
import time

import torch
import transformers as hf

job = json.load(open(sys.argv[1]))
torch.set_num_threads(job["threads"])
hf.set_seed(job["seed"])
hf.logging.disable_progress_bar()


def status(name):
    """A line of Linux's figures of this process, in bytes."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", open("/proc/self/status").read())[1])


def rectangle(examples, width=None):
    """The rows of a batch; tokens beyond `width` are left out."""
    width = width or max(len(example["tokens"]) for example in examples)
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, example in enumerate(examples):
        tokens = example["tokens"][:width]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    labels = torch.tensor([example["label"] for example in examples])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class Examples(torch.utils.data.Dataset):
    def __len__(self):
        return len(job["train"])

    def __getitem__(self, i):
        return {"input_ids": job["train"][i]["tokens"], **job["train"][i]}


class Planned(torch.utils.data.Dataset):
    """The batches of all epochs, as this library plans them."""

    def __len__(self):
        return len(job["plan"])

    def __getitem__(self, i):
        return rectangle([job["train"][e] for e in job["plan"][i]["rows"]], job["plan"][i]["width"])


class PlannedTrainer(hf.Trainer):
    def get_train_dataloader(self):
        return torch.utils.data.DataLoader(self.train_dataset, batch_size=None, shuffle=False)


class Counted:
    positions = 0

    def __call__(self, examples):
        batch = rectangle(examples)
        self.positions += batch["input_ids"].numel()
        return batch


own = job["batching"] == "grouped"
model = hf.AutoModelForSequenceClassification.from_pretrained(job["folder"])
collate = Counted()
trainer = (hf.Trainer if own else PlannedTrainer)(
    model,
    hf.TrainingArguments(
        output_dir=sys.argv[1] + ".trainer", use_cpu=True, bf16=job["precision"] == "bfloat16", seed=job["seed"],
        per_device_train_batch_size=job["batchSize"], num_train_epochs=job["epochs"] if own else 1,
        learning_rate=job["learningRate"], lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=1.0,
        train_sampling_strategy="group_by_length" if own else "sequential", remove_unused_columns=False,
        save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
    ),
    train_dataset=Examples() if own else Planned(),
    data_collator=collate if own else None,
)

# 5 sets the peak of resident memory to what is resident now.
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
began, used = time.perf_counter(), time.process_time()
out = trainer.train()
seconds, processor = time.perf_counter() - began, time.process_time() - used
whole = status("VmHWM")

model.eval()
right = 0
examples = sorted(job["validation"], key=lambda example: len(example["tokens"]))
with torch.no_grad():
    for first in range(0, len(examples), job["batchSize"]):
        batch = rectangle(examples[first : first + job["batchSize"]])
        labels = batch.pop("labels")
        right += (model(**batch).logits.argmax(-1) == labels).sum().item()

positions = collate.positions or sum(len(b["rows"]) * b["width"] for b in job["plan"])
print(json.dumps({
    "seconds": seconds, "processor": processor, "peak": whole - before, "whole": whole,
    "accuracy": right / len(examples), "steps": out.global_step, "positions": positions,
}))
