"""A GPT that learns sonnets character by character and writes on. The twin of notebooks/examples/character-gpt.ipynb."""

import torch
from torch import nn
from torch.nn import functional as F

from common import linear, norm, projected, recorded, sizes

size = sizes(context=64, features=96, heads=4, layers=3, batch=16, steps=400, rate=3e-3)
text = open("notebooks/examples/sonnets.txt").read()
characters = sorted(set(text))
ids = torch.tensor([characters.index(character) for character in text])


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(len(characters), size.features)
        self.positions = nn.Embedding(size.context, size.features)
        layer = nn.TransformerEncoderLayer(
            size.features, size.heads, 4 * size.features, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, size.layers, nn.LayerNorm(size.features), False)
        self.head = nn.Linear(size.features, len(characters), bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        time = ids.shape[1]
        x = self.tokens(ids) + self.positions(torch.arange(time))
        mask = nn.Transformer.generate_square_subsequent_mask(time)
        return self.head(self.layers(x, mask=mask, is_causal=True))


def window(n):
    start = n * 7919 % (len(ids) - size.context)
    return ids[start : start + size.context]


@torch.no_grad()
def generate(model, prompt, count, temperature):
    written = torch.tensor([[characters.index(character) for character in prompt]])
    for _ in range(count):
        logits = model(written[:, -size.context :])[:, -1] / temperature
        written = torch.cat([written, torch.multinomial(logits.softmax(-1), 1)], 1)
    return "".join(characters[i] for i in written[0])


model = GPT()
for name, parameter in model.named_parameters():
    if parameter.dim() > 1:
        nn.init.normal_(parameter, std=0.02)
names = {"tokens": model.tokens.weight, "positions": model.positions.weight}
for i, layer in enumerate(model.layers.layers):
    names |= norm(f"layers.{i}.attentionNorm", layer.norm1)
    names |= projected(f"layers.{i}.projection", layer.self_attn, 0, 3)
    names |= linear(f"layers.{i}.attentionOutput", layer.self_attn.out_proj)
    names |= norm(f"layers.{i}.feedForwardNorm", layer.norm2)
    names |= linear(f"layers.{i}.up", layer.linear1) | linear(f"layers.{i}.down", layer.linear2)
names |= norm("norm", model.layers.norm)
record = recorded(size, "character-gpt", names)

optimizer = torch.optim.AdamW(model.parameters(), size.rate, weight_decay=0.01)
losses = []
for step in range(size.steps):
    batch = torch.stack([window(step * size.batch + i) for i in range(size.batch)])
    logits = model(batch)[:, :-1]
    loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.3f}")
record(losses)
print(generate(model, "Shall I", 200, 0.8))
