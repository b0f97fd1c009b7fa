"""Pictures of shapes, drawn by the same arithmetic as in the notebooks."""

import torch

KINDS = ["disc", "square", "triangle", "cross"]
SIDE = 16


def picture(n):
    """The n-th picture, [16, 16] in [0, 1], and its kind."""
    kind = n % 4
    return shape(kind, 5 + n * 7 % 13 / 2, 5 + n * 11 % 13 / 2, 3 + n * 5 % 9 / 4), kind


def shape(kind, cx, cy, radius):
    """A shape of a kind, centre and radius, [16, 16] in [0, 1]."""
    y, x = torch.meshgrid(torch.arange(SIDE) - cy, torch.arange(SIDE) - cx, indexing="ij")
    inside = [
        x * x + y * y <= radius * radius,
        torch.maximum(x.abs(), y.abs()) <= radius * 0.85,
        (y <= radius * 0.8) & (y >= 2 * x.abs() - radius),
        (torch.minimum(x.abs(), y.abs()) <= radius * 0.3) & (torch.maximum(x.abs(), y.abs()) <= radius),
    ][kind]
    return inside.float()
