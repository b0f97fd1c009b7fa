"""Writes test/train/fixtures/adam8.json: AdamW with moments in 8 bits, after Dettmers et al. 2022, "8-bit Optimizers via Block-wise
Quantization" (arXiv 2110.02861), section 2, in NumPy.

Run: python bench/reference/adam8.py   (NumPy 2)

The dynamic data type has a number of leading zeros for the decimal exponent and the remaining bits for a fraction between 0.1 and 1. Each
block of 256 elements is divided by its largest magnitude, and each quotient becomes the nearest number of the data type. Tensors of fewer
than 4096 elements keep float32 moments, as in bitsandbytes. Parameters and gradients are formulas, so that the file has results only.
"""

import json
import math
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "test/train/fixtures/adam8.json"
SHAPES = {"matrix": [64, 80], "partial": [33, 130], "small": [10]}
RATE, BETAS, EPSILON, DECAY, STEPS, EVERY = 1e-2, (0.9, 0.999), 1e-8, 0.1, 6, 7
f = np.float32


def data_type(signed):
    numbers = [0.0, 1.0]
    for exponent in range(-6, 1):
        fractions = np.linspace(0.1, 1, (1 if signed else 2) * 2 ** (exponent + 6) + 1)
        middles = 10.0**exponent * (fractions[1:] + fractions[:-1]) / 2
        numbers += [*middles, *(-middles if signed else [])]
    assert len(numbers) == 256
    return np.sort(np.float32(numbers))


TYPES = {"first": data_type(True), "second": data_type(False)}


def quantized(x, numbers):
    """The nearest numbers of the data type, block by block, and the scales."""
    padded = np.zeros(math.ceil(x.size / 256) * 256, f)
    padded[: x.size] = x
    blocks = padded.reshape(-1, 256)
    scales = np.abs(blocks).max(axis=1, keepdims=True)
    normal = blocks / np.where(scales > 0, scales, 1)
    at = np.abs(normal[..., None] - numbers).argmin(-1)
    return (numbers[at] * scales).reshape(-1)[: x.size].astype(f), scales.reshape(-1)


def parameter(size):
    return np.cos(0.1 * np.arange(size)).astype(f)


def gradient(size, step):
    i = np.arange(size)
    return (np.sin(0.37 * i + step) * 10.0 ** -(i % 5)).astype(f)


result = {}
for name, shape in SHAPES.items():
    size = math.prod(shape)
    values, first, second = parameter(size), np.zeros(size, f), np.zeros(size, f)
    scales = {}
    for step in range(1, STEPS + 1):
        slope = gradient(size, step)
        first = first * f(BETAS[0]) + slope * f(1 - BETAS[0])
        second = second * f(BETAS[1]) + slope * slope * f(1 - BETAS[1])
        root = np.sqrt(second) / f(math.sqrt(1 - BETAS[1] ** step)) + f(EPSILON)
        values = values * f(1 - RATE * DECAY) - f(RATE / (1 - BETAS[0] ** step)) * first / root
        if size >= 4096:
            first, scales["first"] = quantized(first, TYPES["first"])
            second, scales["second"] = quantized(second, TYPES["second"])
    result[name] = {
        "shape": shape,
        "values": [float(f"{v:.9g}") for v in values[::EVERY]],
        "scales": {key: [float(f"{v:.9g}") for v in each] for key, each in scales.items()},
    }
options = {"rate": RATE, "betas": BETAS, "epsilon": EPSILON, "weightDecay": DECAY, "steps": STEPS, "every": EVERY}
OUT.write_text(json.dumps({**options, "parameters": result}, separators=(",", ":")) + "\n")
print(f"{OUT.stat().st_size:,} bytes")
