"""A variational autoencoder of shapes (Kingma & Welling 2014). The twin of notebooks/examples/vae.ipynb."""

import torch
from torch import nn
from torch.nn import functional as F

from common import conv, linear, randn, recorded, sizes
from shapes import SIDE, picture

size = sizes(latent=4, channels=8, batch=32, steps=300, rate=2e-3)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        c, flat = size.channels, 2 * size.channels * 16
        self.down1, self.down2 = nn.Conv2d(1, c, 4, 2, 1), nn.Conv2d(c, 2 * c, 4, 2, 1)
        self.mean, self.logVariance = nn.Linear(flat, size.latent), nn.Linear(flat, size.latent)
        self.expand = nn.Linear(size.latent, flat)
        self.up1, self.up2 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.ConvTranspose2d(c, 1, 4, 2, 1)

    def decode(self, z):
        # Channels last, as the twin flattens them.
        x = self.expand(z).relu().unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        return self.up2(self.up1(x).relu())

    def forward(self, images, noise):
        x = self.down2(self.down1(images).relu()).relu()
        x = x.permute(0, 2, 3, 1).flatten(1)
        mean, logVariance = self.mean(x), self.logVariance(x)
        return self.decode(mean + (logVariance / 2).exp() * noise), mean, logVariance


def batch(step):
    images = torch.stack([picture(step * size.batch + i)[0] for i in range(size.batch)])
    return images[:, None], randn((size.batch, size.latent), step)


model = Autoencoder()
names = {}
for name, layer in model.named_children():
    names |= linear(name, layer) if isinstance(layer, nn.Linear) else conv(name, layer)
record = recorded(size, "vae", names)

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
    samples = model.decode(randn((8, size.latent), 1)).sigmoid()
print("pictures of", SIDE, "by", SIDE, "with a mean of", samples.mean().item())
