"""A convolutional network that tells shapes apart. The twin of notebooks/examples/cnn.ipynb."""

import torch
from torch import nn
from torch.nn import functional as F

from common import conv, linear, norm, randn, recorded, sizes
from shapes import KINDS, picture

size = sizes(channels=16, batch=32, steps=250, rate=3e-3, noise=0.3)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        c = size.channels
        self.first, self.firstNorm = nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c)
        self.second, self.secondNorm = nn.Conv2d(c, 2 * c, 3, padding=1), nn.BatchNorm2d(2 * c)
        self.head = nn.Linear(2 * c * 16, len(KINDS))

    def forward(self, x):
        x = F.max_pool2d(self.firstNorm(self.first(x)).relu(), 2)
        x = F.max_pool2d(self.secondNorm(self.second(x)).relu(), 2)
        # Channels last, as the twin flattens them.
        return self.head(x.permute(0, 2, 3, 1).flatten(1))


def batch(step):
    pictures = [picture(step * size.batch + i) for i in range(size.batch)]
    clean = torch.stack([image for image, _ in pictures])
    images = clean + size.noise * randn(clean.shape, step)
    return images[:, None], torch.tensor([kind for _, kind in pictures])


model = Network()
parts = conv("0", model.first) | norm("1", model.firstNorm)
parts |= conv("4", model.second) | norm("5", model.secondNorm) | linear("9", model.head)
record = recorded(size, "cnn", parts)

optimizer = torch.optim.AdamW(model.parameters(), size.rate, weight_decay=0.01)
losses = []
for step in range(size.steps):
    images, labels = batch(step)
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.3f}")
record(losses)

model.eval()
with torch.no_grad():
    confusion = torch.zeros(4, 4, dtype=torch.int32)
    for step in range(size.steps, size.steps + 8):
        images, labels = batch(step)
        for label, guess in zip(labels, model(images).argmax(1)):
            confusion[label, guess] += 1
print(f"accuracy {confusion.diag().sum() / confusion.sum():.3f}")
print(confusion)
