"""An encoder-decoder that writes dates in ISO form. The twin of notebooks/examples/sequence-to-sequence.ipynb."""

import datetime

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from common import linear, norm, projected, recorded, sizes

size = sizes(features=64, heads=4, layers=2, batch=32, steps=300, rate=2e-3)
PAD, START, END = 0, 1, 2
characters = " ,-./0123456789ADFJMNOSabcdeghilmnoprstuvy"
formats = ["{month} {day}, {year}", "{day} {short} {year}", "{short} {day}, {year}", "{day}.{number}.{year}"]
epoch = datetime.date(1950, 1, 1)


def encode(text):
    return [characters.index(character) + 3 for character in text]


def example(n):
    date = epoch + datetime.timedelta(days=n * 7919 % 36500)
    month = date.strftime("%B")
    text = formats[n % 4].format(month=month, short=month[:3], day=date.day, number=date.month, year=date.year)
    return text, date.isoformat()


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        width, hidden, vocabulary = size.features, 4 * size.features, len(characters) + 3
        self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.sourcePositions, self.targetPositions = nn.Embedding(32, width), nn.Embedding(32, width)
        options = dict(dropout=0.0, batch_first=True, norm_first=True)
        encoder = nn.TransformerEncoderLayer(width, size.heads, hidden, **options)
        decoder = nn.TransformerDecoderLayer(width, size.heads, hidden, **options)
        self.encoder = nn.TransformerEncoder(encoder, size.layers, nn.LayerNorm(width), False)
        self.decoder = nn.TransformerDecoder(decoder, size.layers, nn.LayerNorm(width))
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, source, target):
        hidden = source == PAD
        x = self.source(source) + self.sourcePositions(torch.arange(source.shape[1]))
        memory = self.encoder(x, src_key_padding_mask=hidden)
        causal = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        x = self.target(target) + self.targetPositions(torch.arange(target.shape[1]))
        return self.head(self.decoder(x, memory, causal, memory_key_padding_mask=hidden))


def batch(step):
    pairs = [example(step * size.batch + i) for i in range(size.batch)]
    source = [torch.tensor(encode(text)) for text, _ in pairs]
    target = [torch.tensor([START, *encode(iso), END]) for _, iso in pairs]
    return pad_sequence(source, True), pad_sequence(target, True)


@torch.no_grad()
def translate(model, text):
    source, target = torch.tensor([encode(text)]), torch.tensor([[START]])
    while target.shape[1] < 12 and target[0, -1] != END:
        best = model(source, target)[:, -1].argmax(-1, keepdim=True)
        target = torch.cat([target, best], 1)
    return "".join(characters[i - 3] for i in target[0] if i > END)


model = Translator()


def sublayers(name, layer):
    own = linear(f"{name}.up", layer.linear1) | linear(f"{name}.down", layer.linear2)
    own |= norm(f"{name}.attentionNorm", layer.norm1)
    own |= projected(f"{name}.projection", layer.self_attn, 0, 3)
    own |= linear(f"{name}.attentionOutput", layer.self_attn.out_proj)
    if hasattr(layer, "multihead_attn"):
        own |= norm(f"{name}.crossNorm", layer.norm2) | norm(f"{name}.feedForwardNorm", layer.norm3)
        own |= projected(f"{name}.crossQuery", layer.multihead_attn, 0, 1)
        own |= projected(f"{name}.crossKeyValue", layer.multihead_attn, 1, 3)
        own |= linear(f"{name}.crossOutput", layer.multihead_attn.out_proj)
    else:
        own |= norm(f"{name}.feedForwardNorm", layer.norm2)
    return own


names = {"sourceTokens": model.source.weight, "targetTokens": model.target.weight}
names |= {"sourcePositions": model.sourcePositions.weight, "targetPositions": model.targetPositions.weight}
for part in "encoder", "decoder":
    for i, layer in enumerate(getattr(model, part).layers):
        names |= sublayers(f"{part}Layers.{i}", layer)
    names |= norm(f"{part}Norm", getattr(model, part).norm)
names |= linear("output", model.head)
record = recorded(size, "sequence-to-sequence", names)

optimizer = torch.optim.AdamW(model.parameters(), size.rate, weight_decay=0.01)
losses = []
for step in range(size.steps):
    source, target = batch(step)
    logits = model(source, target[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.3f}")
record(losses)
unseen = [example(n) for n in range(size.steps * size.batch, size.steps * size.batch + 100)]
print(sum(translate(model, text) == iso for text, iso in unseen), "of 100 unseen dates")
for text, _ in unseen[:4]:
    print(text, "->", translate(model, text))
