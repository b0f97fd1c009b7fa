"""Writes test/nn/pretrained/fixtures/<name>: random checkpoints in Hugging Face's layout, and what transformers computes with them.

    pip install torch transformers==5.24.0
    python bench/reference/pretrained.py [name ...]

Each folder is what `save_pretrained` writes (config.json, generation_config.json, model.safetensors or shards and their index), and

- reference.json: the class, `ids`, `mask` and `tokenTypes` (padded on the right), `labels`, the loss, and for decoders `prompts` with
  the tokens that greedy and beam search add to each of them alone.
- reference.safetensors: `hiddenStates.<i>` (the embeddings and the output of each layer), `pooled`, `logits`, and
  `gradients.<parameter>` of the loss. Hidden states and logits of padding mean nothing.

The weights are far from their initial values, so that every bias, norm and softmax changes the outputs. A model runs in evaluation mode,
in float32, with eager attention.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers as hf
from safetensors.torch import save_file

FOLDER = Path(__file__).parents[2] / "test/nn/pretrained/fixtures"

LENGTHS = [9, 6, 2]
LABELS = 3

ENCODER = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=32)
DISTIL = dict(dim=24, n_layers=2, n_heads=4, hidden_dim=32)
GPT = dict(n_embd=24, n_layer=2, n_head=4, n_inner=32)
DECODER = dict(ENCODER, num_key_value_heads=2, max_position_embeddings=64)
# A model for a head of its own has one narrow layer.
SMALL = dict(hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
SMALL_DISTIL = dict(dim=12, n_layers=1, n_heads=2, hidden_dim=16)
SMALL_GPT = dict(n_embd=12, n_layer=1, n_head=2, n_inner=16)
SMALL_DECODER = dict(SMALL, num_key_value_heads=1, max_position_embeddings=48)

BERT = dict(vocab_size=48, max_position_embeddings=24)
# Positions begin after the padding token.
ROBERTA = dict(
    vocab_size=48, max_position_embeddings=26, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2
)
WORDS = dict(vocab_size=48, bos_token_id=1, eos_token_id=2, pad_token_id=0)
MODERN = dict(WORDS, max_position_embeddings=64, local_attention=6, cls_token_id=1, sep_token_id=2)
# Long wave lengths are divided by the factor, short ones kept, with 64 positions instead of thousands.
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=10000.0,
    factor=4.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
LINEAR = dict(rope_type="linear", rope_theta=500.0, factor=2.0)


def cases():
    """Name, class, configuration, and options of `save_pretrained`."""
    labels = dict(num_labels=LABELS)
    small = dict(SMALL, **labels)
    yield "bert", hf.BertForPreTraining, hf.BertConfig(**ENCODER, **BERT), {}
    yield "bert-model", hf.BertModel, hf.BertConfig(**SMALL, **BERT), {}
    yield "bert-sequence", hf.BertForSequenceClassification, hf.BertConfig(**small, **BERT), {}
    yield "bert-tokens", hf.BertForTokenClassification, hf.BertConfig(**small, **BERT), {}

    distil = dict(SMALL_DISTIL, **BERT, **labels)
    yield "distilbert", hf.DistilBertForMaskedLM, hf.DistilBertConfig(**DISTIL, **BERT), {}
    yield "distilbert-sequence", hf.DistilBertForSequenceClassification, hf.DistilBertConfig(**distil), {}
    yield "distilbert-tokens", hf.DistilBertForTokenClassification, hf.DistilBertConfig(**distil), {}

    yield "roberta", hf.RobertaForMaskedLM, hf.RobertaConfig(**ENCODER, **ROBERTA), {}
    yield "roberta-sequence", hf.RobertaForSequenceClassification, hf.RobertaConfig(**small, **ROBERTA), {}
    yield "roberta-tokens", hf.RobertaForTokenClassification, hf.RobertaConfig(**small, **ROBERTA), {}
    config = hf.XLMRobertaConfig(**dict(SMALL, num_hidden_layers=2), **ROBERTA)
    yield "xlm-roberta", hf.XLMRobertaModel, config, dict(max_shard_size="6KB")

    modern = dict(ENCODER, num_hidden_layers=3)
    yield "modernbert", hf.ModernBertForMaskedLM, hf.ModernBertConfig(**modern, **MODERN), {}
    sequence = dict(small, num_hidden_layers=2, norm_bias=True, attention_bias=True)
    for pooling in ("cls", "mean"):
        config = hf.ModernBertConfig(**sequence, **MODERN, classifier_pooling=pooling)
        yield f"modernbert-sequence-{pooling}", hf.ModernBertForSequenceClassification, config, {}
    config = hf.ModernBertConfig(**small, **MODERN, mlp_bias=True)
    yield "modernbert-tokens", hf.ModernBertForTokenClassification, config, {}

    words = dict(WORDS, n_positions=48)
    yield "gpt2", hf.GPT2LMHeadModel, hf.GPT2Config(**GPT, **words), {}
    yield "gpt2-sequence", hf.GPT2ForSequenceClassification, hf.GPT2Config(**SMALL_GPT, **words, **labels), {}
    yield "gpt2-tokens", hf.GPT2ForTokenClassification, hf.GPT2Config(**SMALL_GPT, **words, **labels), {}

    config = hf.LlamaConfig(**DECODER, **WORDS, rope_parameters=LLAMA3)
    yield "llama", hf.LlamaForCausalLM, config, dict(max_shard_size="20KB")
    yield "llama-model", hf.LlamaModel, hf.LlamaConfig(**SMALL_DECODER, **WORDS, attention_bias=True, mlp_bias=True), {}
    config = hf.LlamaConfig(**SMALL_DECODER, **WORDS, rope_parameters=LINEAR, tie_word_embeddings=True)
    yield "llama-linear", hf.LlamaForCausalLM, config, {}
    yield "llama-sequence", hf.LlamaForSequenceClassification, hf.LlamaConfig(**SMALL_DECODER, **WORDS, **labels), {}
    yield "llama-tokens", hf.LlamaForTokenClassification, hf.LlamaConfig(**SMALL_DECODER, **WORDS, **labels), {}
    config = hf.MistralConfig(**SMALL_DECODER, **WORDS, head_dim=10, sliding_window=None)
    yield "mistral", hf.MistralForCausalLM, config, {}
    # A token sees itself and the three before it.
    config = hf.MistralConfig(**SMALL_DECODER, **WORDS, sliding_window=4)
    yield "mistral-sliding", hf.MistralForCausalLM, config, {}
    yield "qwen2", hf.Qwen2ForCausalLM, hf.Qwen2Config(**DECODER, **WORDS, tie_word_embeddings=True), {}
    yield "qwen3", hf.Qwen3ForCausalLM, hf.Qwen3Config(**DECODER, **WORDS, head_dim=8), dict(dtype=torch.bfloat16)


def randomise(model):
    """Draws every weight: matrices and biases around 0, the weights of norms around 1."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_norm = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_(0.2 * torch.randn_like(parameter) + float(is_norm))


def inputs(config):
    pad = config.pad_token_id or 0
    ids = torch.full((len(LENGTHS), max(LENGTHS)), pad)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = torch.randint(5, config.vocab_size, (length,))
        mask[row, :length] = 1
    given = {"input_ids": ids, "attention_mask": mask}
    if getattr(config, "type_vocab_size", 1) > 1:
        # The second text of a pair.
        given["token_type_ids"] = (torch.arange(ids.shape[1]) >= 4).long() * mask
    return given


def loss_of(model, logits, given):
    """Labels, and the mean cross entropy over the labels that are not -100; without logits a weighted sum of the hidden states."""
    ids, mask = given["input_ids"], given["attention_mask"]
    if logits.ndim == 2:
        labels = torch.randint(0, LABELS, (len(ids),))
        return labels, F.cross_entropy(logits, labels)
    if "CausalLM" in type(model).__name__ or "LMHead" in type(model).__name__:
        labels = torch.where(mask == 1, ids, -100)
        return labels, F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    counted = (torch.rand(ids.shape) < 0.6) & (mask == 1)
    labels = torch.where(counted, torch.randint(0, logits.shape[-1], ids.shape), -100)
    return labels, F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def generated(model):
    """What greedy and beam search add to each prompt. One prompt reaches the end token before its eighth new token."""
    prompts = [torch.randint(5, model.config.vocab_size, (length,)).tolist() for length in (5, 1, 3)]

    def add(prompt, **options):
        given = torch.tensor([prompt])
        options = dict(dict(max_new_tokens=8, do_sample=False, pad_token_id=0), **options)
        tokens = model.generate(given, attention_mask=torch.ones_like(given), **options)
        return tokens[0, len(prompt) :].tolist()

    model.generation_config.eos_token_id = None
    model.generation_config.eos_token_id = add(prompts[0])[4]
    beams = [add(prompt, num_beams=3, length_penalty=1.0, early_stopping=False) for prompt in prompts]
    return {"prompts": prompts, "greedy": [add(prompt) for prompt in prompts], "beams": beams}


def write(name, constructor, config, options):
    seed = sum(map(ord, name))
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    model = constructor(config).eval()
    randomise(model)
    options = dict(options)
    if dtype := options.pop("dtype", None):
        # Not model.to(dtype), which rounds the rotary rates too; from_pretrained does not.
        for parameter in model.parameters():
            parameter.data = parameter.data.to(dtype).float()

    given = inputs(config)
    outputs = model(**given, output_hidden_states=True, return_dict=True)
    reference = {
        "transformers": hf.__version__,
        "torch": torch.__version__.split("+")[0],
        "class": constructor.__name__,
        "ids": given["input_ids"].tolist(),
        "mask": given["attention_mask"].tolist(),
    }
    if "token_type_ids" in given:
        reference["tokenTypes"] = given["token_type_ids"].tolist()
    tensors = {f"hiddenStates.{i}": state for i, state in enumerate(outputs.hidden_states)}
    if "pooler_output" in outputs:
        tensors["pooled"] = outputs.pooler_output
    elif constructor is hf.BertForPreTraining:
        tensors["pooled"] = model.bert(**given).pooler_output
    logits = outputs.get("logits", outputs.get("prediction_logits"))
    if logits is not None:
        tensors["logits"] = logits
        labels, loss = loss_of(model, logits, given)
        reference["labels"] = labels.tolist()
    else:
        weights = torch.randn_like(outputs.last_hidden_state) * given["attention_mask"][..., None]
        tensors["lossWeights"] = weights
        loss = (outputs.last_hidden_state * weights).mean()
    reference["loss"] = loss.item()
    loss.backward()
    for parameter, value in model.named_parameters():
        # The matrices of one layer are enough.
        is_later = any(f".{layer}." in parameter for layer in (1, 2))
        if value.grad is not None and (value.ndim == 1 or not is_later):
            tensors[f"gradients.{parameter}"] = value.grad
    if model.can_generate() and "Masked" not in constructor.__name__ and constructor is not hf.BertForPreTraining:
        reference.update(generated(model))

    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, folder / "reference.safetensors")
    if dtype:
        # Gradients too, so that the reference is saved before.
        model = model.to(dtype)
    model.save_pretrained(folder, **options)
    (folder / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{name} ({constructor.__name__}) {size:,} bytes, loss {reference['loss']:.4f}")
    return size


hf.logging.disable_progress_bar()
names = sys.argv[1:]
sizes = [write(*case) for case in cases() if not names or case[0] in names]
print(f"{sum(sizes):,} bytes")
