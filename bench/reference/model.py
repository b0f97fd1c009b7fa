"""The model of src/nn/transformer.ts in PyTorch, from PyTorch's own layers."""

import torch
from torch import nn


def sinusoids(length, features):
    p = torch.arange(length, dtype=torch.float64)[:, None]
    f = torch.arange(features)
    angle = p / 10000 ** (2 * (f // 2) / features)
    return torch.where(f % 2 == 0, angle.sin(), angle.cos()).float()


class Classifier(nn.Module):
    def __init__(self, vocabulary, classes, length, features, heads, layers, hidden, dropout, activation, learned):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, features)
        if learned:
            self.positions = nn.Parameter(torch.randn(length, features))
        else:
            self.register_buffer("positions", sinusoids(length, features))
        self.drop = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            features, heads, hidden, dropout, activation, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(features), enable_nested_tensor=False)
        self.classifier = nn.Linear(features, classes)

    def forward(self, ids, mask):
        """`ids` and `mask` (true on tokens): [rows, time]. Logits [rows, classes]."""
        x = self.drop(self.tokens(ids) + self.positions[: ids.shape[1]])
        x = self.encoder(x, src_key_padding_mask=~mask)
        weights = mask.float() / mask.sum(1, keepdim=True)
        return self.classifier((x * weights[..., None]).sum(1))

    def named(self):
        """Parameters under the names of src/nn, weights as [in, out]."""
        out = {"tokens": self.tokens.weight}
        if isinstance(self.positions, nn.Parameter):
            out["positions"] = self.positions

        def linear(name, weight, bias):
            out[f"{name}.weight"], out[f"{name}.bias"] = weight, bias

        def norm(name, module):
            out[f"{name}.scale"], out[f"{name}.offset"] = module.weight, module.bias

        for i, layer in enumerate(self.encoder.layers):
            norm(f"layers.{i}.attentionNorm", layer.norm1)
            linear(f"layers.{i}.projection", layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias)
            out_proj = layer.self_attn.out_proj
            linear(f"layers.{i}.attentionOutput", out_proj.weight, out_proj.bias)
            norm(f"layers.{i}.feedForwardNorm", layer.norm2)
            linear(f"layers.{i}.up", layer.linear1.weight, layer.linear1.bias)
            linear(f"layers.{i}.down", layer.linear2.weight, layer.linear2.bias)
        norm("norm", self.encoder.norm)
        linear("classifier", self.classifier.weight, self.classifier.bias)
        return out


def in_our_layout(name, tensor):
    tensor = tensor.detach()
    return tensor.t() if name.endswith(".weight") else tensor
