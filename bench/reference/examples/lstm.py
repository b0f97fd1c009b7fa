"""An LSTM that continues waves. The twin of notebooks/examples/lstm.ipynb."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from common import linear, recorded, sizes

size = sizes(hidden=48, batch=16, steps=200, rate=5e-3, shortest=20, longest=60)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, size.hidden, batch_first=True)
        self.head = nn.Linear(size.hidden, 1)

    def forward(self, x, state=None):
        outputs, state = self.lstm(x, state)
        return self.head(outputs), state


def wave(n):
    """The n-th wave, the sum of two sines: [length, 1]."""
    slow, fast = 0.1 + n * 7 % 11 / 100, 0.25 + n * 5 % 13 / 60
    length = size.shortest + n * 17 % (size.longest - size.shortest + 1)
    values = [math.sin(slow * t + n) + 0.5 * math.sin(fast * t) for t in range(length)]
    return torch.tensor(values).unsqueeze(1)


def batch(step):
    waves = [wave(step * size.batch + i) for i in range(size.batch)]
    lengths = torch.tensor([len(values) - 1 for values in waves])
    padded = pad_sequence(waves, True)
    mask = (torch.arange(padded.shape[1] - 1) < lengths[:, None]).unsqueeze(2)
    return padded[:, :-1], padded[:, 1:], mask


@torch.no_grad()
def forecast(model, beginning, count):
    outputs, state = model(beginning[None])
    values = [outputs[:, -1:]]
    for _ in range(count - 1):
        outputs, state = model(values[-1], state)
        values.append(outputs)
    return torch.cat(values, 1).flatten()


model = Forecaster()
names = {
    "lstm.inputWeight": model.lstm.weight_ih_l0.t(),
    "lstm.hiddenWeight": model.lstm.weight_hh_l0.t(),
    "lstm.inputBias": model.lstm.bias_ih_l0,
    "lstm.hiddenBias": model.lstm.bias_hh_l0,
}
record = recorded(size, "lstm", names | linear("head", model.head))

optimizer = torch.optim.AdamW(model.parameters(), size.rate, weight_decay=0.01)
losses = []
for step in range(size.steps):
    inputs, targets, mask = batch(step)
    outputs, _ = model(inputs)
    loss = (F.mse_loss(outputs, targets, reduction="none") * mask).sum() / mask.sum()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.4f}")
record(losses)
whole = wave(size.steps * size.batch + 2)
known = len(whole) - 10
guess = forecast(model, whole[:known], 10)
print("largest error of ten steps", (guess - whole[known:, 0]).abs().max().item())
