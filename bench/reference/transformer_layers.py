"""Writes test/nn/fixtures/transformer-layers.json: attention layers, encoder and decoder layers of a Transformer, and models of them.

    pip install torch numpy
    python bench/reference/transformer_layers.py

Layers are torch.nn's own where it has them; grouped heads, rotary positions, RMS norm and SwiGLU are written out here as in Llama.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from model import sinusoids

FILE = Path(__file__).parents[2] / "test/nn/fixtures/transformer-layers.json"


def array(tensor):
    numbers = tensor.detach().double().flatten().tolist()
    return {"shape": list(tensor.shape), "values": [float(f"{n:.8g}") for n in numbers]}


def put_linear(out, name, weight, bias):
    """The parameters of a linear map under the names of src/nn; weights are [in, out] there."""
    out[f"{name}.weight"] = weight.t()
    if bias is not None:
        out[f"{name}.bias"] = bias


def put_norm(out, name, norm):
    out[f"{name}.scale"] = norm.weight
    if getattr(norm, "bias", None) is not None:
        out[f"{name}.offset"] = norm.bias


def put_attention(out, names, module):
    """`names` of (projection, output), or of (query, keyValue, output)."""
    weight, bias = module.in_proj_weight, module.in_proj_bias
    if len(names) == 2:
        put_linear(out, names[0], weight, bias)
    else:
        e = module.embed_dim
        put_linear(out, names[0], weight[:e], bias[:e])
        put_linear(out, names[1], weight[e:], bias[e:])
    put_linear(out, names[-1], module.out_proj.weight, module.out_proj.bias)


def encoder_names(layer):
    out = {}
    put_norm(out, "attentionNorm", layer.norm1)
    put_attention(out, ("projection", "attentionOutput"), layer.self_attn)
    put_norm(out, "feedForwardNorm", layer.norm2)
    put_linear(out, "up", layer.linear1.weight, layer.linear1.bias)
    put_linear(out, "down", layer.linear2.weight, layer.linear2.bias)
    return out


def decoder_names(layer):
    out = {}
    put_norm(out, "attentionNorm", layer.norm1)
    put_attention(out, ("projection", "attentionOutput"), layer.self_attn)
    put_norm(out, "crossNorm", layer.norm2)
    put_attention(out, ("crossQuery", "crossKeyValue", "crossOutput"), layer.multihead_attn)
    put_norm(out, "feedForwardNorm", layer.norm3)
    put_linear(out, "up", layer.linear1.weight, layer.linear1.bias)
    put_linear(out, "down", layer.linear2.weight, layer.linear2.bias)
    return out


def perturbed(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return module.train()


def gradients_of(module, names):
    """The gradients under our names: the same views, of the gradients."""
    saved = [p.data for p in module.parameters()]
    for p in module.parameters():
        p.data = p.grad
    found = {key: array(value) for key, value in names(module).items()}
    for p, data in zip(module.parameters(), saved):
        p.data = data
    return found


def case(name, options, module, names, inputs, run, **more):
    module = perturbed(module)
    inputs = {key: x.requires_grad_() for key, x in inputs.items()}
    parameters = {key: array(value) for key, value in names(module).items()}
    y = run(module, **inputs)
    dy = torch.randn_like(y)
    y.backward(dy)
    return {
        "name": name,
        "options": options,
        "parameters": parameters,
        "inputs": {key: array(x) for key, x in inputs.items()},
        **more,
        "output": array(y),
        "outputGradient": array(dy),
        "inputGradients": {key: array(x.grad) for key, x in inputs.items()},
        "gradients": gradients_of(module, names),
    }


padding = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
hidden = padding == 0
later = torch.ones(4, 4, dtype=torch.bool).triu(1)


def attention_cases():
    def names(module):
        out = {}
        put_attention(out, ("projection", "output"), module)
        return out

    def cross_names(module):
        out = {}
        put_attention(out, ("query", "keyValue", "output"), module)
        return out

    x, context = torch.randn(2, 4, 8), torch.randn(2, 3, 8)
    mha = lambda: nn.MultiheadAttention(8, 2, batch_first=True)
    yield case(
        "self-attention, causal and with key padding",
        {"features": 8, "heads": 2, "causal": True},
        mha(),
        names,
        {"x": x.clone()},
        lambda m, x: m(x, x, x, key_padding_mask=hidden, attn_mask=later, need_weights=False)[0],
        keyPadding=padding.tolist(),
    )
    yield case(
        "cross-attention",
        {"features": 8, "heads": 2, "crossFeatures": 8},
        mha(),
        cross_names,
        {"x": x.clone(), "context": context},
        lambda m, x, context: m(x, context, context, need_weights=False)[0],
    )


def encoder_cases():
    for norm_first in (False, True):
        for activation in ("relu", "gelu"):
            yield case(
                f"encoder layer, {'pre' if norm_first else 'post'}-norm, {activation}",
                {"features": 8, "heads": 2, "hidden": 12, "dropout": 0, "activation": activation, "normFirst": norm_first},
                nn.TransformerEncoderLayer(8, 2, 12, 0.0, activation, batch_first=True, norm_first=norm_first),
                encoder_names,
                {"x": torch.randn(2, 4, 8)},
                lambda m, x: m(x, src_key_padding_mask=hidden),
                keyPadding=padding.tolist(),
            )


def decoder_cases():
    for norm_first in (False, True):
        yield case(
            f"decoder layer, {'pre' if norm_first else 'post'}-norm",
            {"features": 8, "heads": 2, "hidden": 12, "dropout": 0, "normFirst": norm_first},
            nn.TransformerDecoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=norm_first),
            decoder_names,
            {"x": torch.randn(2, 3, 8), "memory": torch.randn(2, 4, 8)},
            lambda m, x, memory: m(x, memory, tgt_mask=later[:3, :3], memory_key_padding_mask=hidden),
            memoryKeyPadding=padding.tolist(),
        )


def turn(x, positions, base):
    half = x.shape[-1] // 2
    angle = positions[:, None, :, None] * base ** (-torch.arange(half) / half)
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class LlamaLayer(nn.Module):
    def __init__(self, features, heads, groups, hidden, base=10000.0):
        super().__init__()
        self.heads, self.groups, self.base = heads, groups, base
        size = features // heads
        line = lambda i, o: nn.Linear(i, o, bias=False)
        self.norm1, self.norm2 = nn.RMSNorm(features, 1e-5), nn.RMSNorm(features, 1e-5)
        self.projection = line(features, (heads + 2 * groups) * size)
        self.output, self.up, self.gate = line(features, features), line(features, hidden), line(features, hidden)
        self.down = line(hidden, features)

    def forward(self, x, positions):
        b, t, e = x.shape
        size = e // self.heads
        widths = [self.heads * size, self.groups * size, self.groups * size]
        q, k, v = (p.view(b, t, -1, size).transpose(1, 2) for p in self.projection(self.norm1(x)).split(widths, -1))
        q, k = turn(q, positions, self.base), turn(k, positions, self.base)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(b, t, e))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))

    def named(self):
        out = {}
        put_norm(out, "attentionNorm", self.norm1)
        put_linear(out, "projection", self.projection.weight, None)
        put_linear(out, "attentionOutput", self.output.weight, None)
        put_norm(out, "feedForwardNorm", self.norm2)
        for name in ("up", "gate", "down"):
            put_linear(out, name, getattr(self, name).weight, None)
        return out


def llama_cases():
    positions = torch.tensor([[0, 1, 2, 3], [5, 6, 7, 8]])
    options = {"features": 8, "heads": 4, "keyValueHeads": 2, "hidden": 12, "dropout": 0, "normFirst": True}
    options |= {"activation": "swiGLU", "norm": "rmsNorm", "bias": False, "causal": True}
    yield case(
        "encoder layer as in Llama: RMS norm, rotary positions, grouped heads and SwiGLU",
        {**options, "positions": "rotary", "rotaryBase": 500},
        LlamaLayer(8, 4, 2, 12, 500.0),
        LlamaLayer.named,
        {"x": torch.randn(2, 4, 8)},
        lambda m, x: m(x, positions),
        positions=positions.tolist(),
    )


def prefixed(prefix, names):
    return {f"{prefix}.{key}": value for key, value in names.items()}


class Gpt(nn.Module):
    """nanoGPT's model from torch's own layers: pre-norm, learned positions, tied output."""

    def __init__(self, vocabulary, length, features, heads, layers, hidden):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, features), nn.Embedding(length, features)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(features, heads, hidden, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(features)

    def forward(self, ids):
        t = ids.shape[1]
        x = self.tokens(ids) + self.positions.weight[:t]
        for layer in self.layers:
            x = layer(x, src_mask=torch.ones(t, t, dtype=torch.bool).triu(1))
        return self.norm(x) @ self.tokens.weight.t()

    def named(self):
        out = {"tokens": self.tokens.weight, "positions": self.positions.weight}
        for i, layer in enumerate(self.layers):
            out |= prefixed(f"layers.{i}", encoder_names(layer))
        put_norm(out, "norm", self.norm)
        return out


class Llama(nn.Module):
    def __init__(self, vocabulary, features, heads, groups, layers, hidden):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, features)
        self.layers = nn.ModuleList(LlamaLayer(features, heads, groups, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(features, 1e-5)
        self.output = nn.Linear(features, vocabulary, bias=False)

    def forward(self, ids):
        x = self.tokens(ids)
        positions = torch.arange(ids.shape[1])[None].expand(ids.shape)
        for layer in self.layers:
            x = layer(x, positions)
        return self.output(self.norm(x))

    def named(self):
        out = {"tokens": self.tokens.weight}
        for i, layer in enumerate(self.layers):
            out |= prefixed(f"layers.{i}", layer.named())
        put_norm(out, "norm", self.norm)
        put_linear(out, "output", self.output.weight, None)
        return out


class Seq2Seq(nn.Module):
    def __init__(self, sources, targets, length, features, heads, layers, hidden):
        super().__init__()
        self.source, self.target = nn.Embedding(sources, features), nn.Embedding(targets, features)
        self.places = sinusoids(length, features)
        options = dict(dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(features, heads, hidden, **options) for _ in range(layers)
        )
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(features, heads, hidden, **options) for _ in range(layers)
        )
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(features), nn.LayerNorm(features)

    def forward(self, source, target):
        s, t = source.shape[1], target.shape[1]
        unseen = source == 0
        x = self.source(source) + self.places[:s]
        for layer in self.encoder:
            x = layer(x, src_key_padding_mask=unseen)
        memory = self.encoder_norm(x)
        y = self.target(target) * self.target.embedding_dim**0.5 + self.places[:t]
        for layer in self.decoder:
            y = layer(y, memory, tgt_mask=torch.ones(t, t, dtype=torch.bool).triu(1), memory_key_padding_mask=unseen)
        return self.decoder_norm(y) @ self.target.weight.t()

    def named(self):
        out = {"sourceTokens": self.source.weight, "targetTokens": self.target.weight}
        for i, layer in enumerate(self.encoder):
            out |= prefixed(f"encoderLayers.{i}", encoder_names(layer))
        put_norm(out, "encoderNorm", self.encoder_norm)
        for i, layer in enumerate(self.decoder):
            out |= prefixed(f"decoderLayers.{i}", decoder_names(layer))
        put_norm(out, "decoderNorm", self.decoder_norm)
        return out


def sequences(count, shortest, longest, vocabulary, begin=None):
    lengths = torch.randint(shortest, longest + 1, (count,)).tolist()
    lengths[0] = longest
    drawn = [torch.randint(3, vocabulary, (n,)).tolist() for n in lengths]
    return [[begin, *tokens, 2] if begin is not None else tokens for tokens in drawn]


def padded(lists):
    longest = max(map(len, lists))
    return torch.tensor([tokens + [0] * (longest - len(tokens)) for tokens in lists])


def model_case(name, config, module, logits_of, targets, data):
    module = perturbed(module)
    parameters = {key: array(value) for key, value in module.named().items()}
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)
    labels = padded(targets)[:, 1:].clone()
    labels[labels == 0] = -100
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(logits_of(module)[:, :-1].flatten(0, 1), labels.flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"name": name, "config": config, "parameters": parameters, "data": data, "losses": losses}


def models():
    texts = sequences(4, 3, 7, 13)
    ids = padded(texts)
    sizes = {"vocabularySize": 13, "maxLength": 8, "features": 8, "heads": 2, "layers": 2, "hidden": 16, "dropout": 0}
    yield model_case("a language model as GPT-2", sizes, Gpt(13, 8, 8, 2, 2, 16), lambda m: m(ids), texts, {"texts": texts})
    llama = {"keyValueHeads": 1, "norm": "rmsNorm", "activation": "swiGLU", "positions": "rotary"}
    yield model_case(
        "a language model as Llama",
        {**sizes, **llama, "bias": False, "tied": False},
        Llama(13, 8, 2, 1, 2, 16),
        lambda m: m(ids),
        texts,
        {"texts": texts},
    )
    sources, targets = sequences(4, 2, 6, 12), sequences(4, 1, 5, 11, begin=1)
    yield model_case(
        "an encoder and a decoder",
        {
            **{"sourceVocabularySize": 12, "targetVocabularySize": 11, "startToken": 1, "maxLength": 8},
            **{"features": 8, "heads": 2, "layers": 1, "hidden": 16, "dropout": 0},
        },
        Seq2Seq(12, 11, 8, 8, 2, 1, 16),
        lambda m: m(padded(sources), padded(targets)),
        targets,
        {"sources": sources, "targets": targets},
    )


torch.manual_seed(7)
content = {
    "torch": torch.__version__.split("+")[0],
    "attention": list(attention_cases()),
    "encoder": [*encoder_cases(), *llama_cases()],
    "decoder": list(decoder_cases()),
    "models": list(models()),
}
text = json.dumps(content, separators=(",", ":"))
FILE.write_text(text + "\n")
print(f"{FILE.name} {len(text):,} bytes")
