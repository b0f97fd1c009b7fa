"""A variational autoencoder of shapes (Kingma & Welling 2014). The twin of notebooks/examples/variational-autoencoder.ipynb."""

import torch
from torch import nn
from torch.nn import functional as F

from common import conv, linear, randn, recorded, sizes
from shapes import KINDS, SIDE, shape

size = sizes(channels=16, batch=32, steps=500, rate=3e-3)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        c, flat = size.channels, 2 * size.channels * 16
        self.down1, self.down2 = nn.Conv2d(1, c, 4, 2, 1), nn.Conv2d(c, 2 * c, 4, 2, 1)
        self.moments, self.expand = nn.Linear(flat, 4), nn.Linear(2, flat)
        self.up1, self.up2 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.ConvTranspose2d(c, 1, 4, 2, 1)

    def decode(self, z):
        # Channels last, as the twin flattens them.
        x = self.expand(z).relu().unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        return self.up2(self.up1(x).relu())

    def forward(self, images, noise):
        x = self.down2(self.down1(images).relu()).relu()
        x = x.permute(0, 2, 3, 1).flatten(1)
        mean, logVariance = self.moments(x).chunk(2, 1)
        return self.decode(mean + (logVariance / 2).exp() * noise), mean, logVariance


def batch(step):
    numbers = range(step * size.batch, (step + 1) * size.batch)
    pictures = [shape(n % len(KINDS), 7.5, 7.5, 3 + n * 7 % 41 / 10) for n in numbers]
    return torch.stack(pictures)[:, None], randn((size.batch, 2), step)


def show(images, rows):
    """Prints pictures, in rows."""
    sheet = images.reshape(rows, -1, SIDE, SIDE).permute(0, 2, 1, 3).reshape(rows * SIDE, -1)
    for line in sheet:
        print("".join(" .:+#"[int(4.99 * value)] for value in line))


model = Autoencoder()
names = conv("encoder.0", model.down1) | conv("encoder.2", model.down2) | linear("encoder.5", model.moments)
names |= linear("decoder.0", model.expand) | conv("decoder.3", model.up1) | conv("decoder.5", model.up2)
record = recorded(size, "variational-autoencoder", names)

optimizer = torch.optim.AdamW(model.parameters(), size.rate, weight_decay=0.01)
losses = []
for step in range(size.steps):
    images, noise = batch(step)
    logits, mean, logVariance = model(images, noise)
    reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / size.batch
    divergence = (mean**2 + logVariance.exp() - 1 - logVariance).sum() / 2 / size.batch
    loss = reconstruction + divergence
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.1f}, divergence {divergence.item():.2f}")
record(losses)

with torch.no_grad():
    images, noise = batch(size.steps)
    logits, means, _ = model(images, noise)
    show(torch.cat([images[:8], logits.sigmoid()[:8]]), 2)
    for kind, name in enumerate(KINDS):
        print(name, means[kind :: len(KINDS)].tolist())
    axis = torch.linspace(-2, 2, 10)
    grid = torch.cartesian_prod(axis.flip(0), axis).flip(1)
    show(model.decode(grid).sigmoid(), 10)
