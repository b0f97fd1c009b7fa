"""What the twins share: sizes from the command line, Halftone's random numbers, and the record that `npm test` compares."""

import argparse
import json
import math
from types import SimpleNamespace

import torch
from safetensors.torch import save_file


def sizes(**defaults):
    """The sizes of a program, each an option of its command line, and `--record FOLDER` of `recorded`."""
    parser = argparse.ArgumentParser()
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--record")
    torch.manual_seed(0)
    return SimpleNamespace(**vars(parser.parse_args()))


def recorded(sizes, name, parameters):
    """
    Starts a record: writes the initial weights under Halftone's names and in its layout to FOLDER/name.safetensors, and gives
    the function that writes the losses beside them.
    """
    if not sizes.record:
        return lambda losses: None
    # Made here, because training changes the parameters in place.
    weights = {key: value.detach().clone().contiguous() for key, value in parameters.items()}
    save_file(weights, f"{sizes.record}/{name}.safetensors")
    own = {"batchSize" if key == "batch" else key: value for key, value in vars(sizes).items() if key != "record"}

    def write(losses):
        with open(f"{sizes.record}/{name}.json", "w") as file:
            json.dump({"sizes": own, "losses": losses[:10]}, file)

    return write


def linear(name, layer):
    """An nn.Linear under Halftone's names: weight [in, out]."""
    return {f"{name}.weight": layer.weight.t(), **({f"{name}.bias": layer.bias} if layer.bias is not None else {})}


def norm(name, layer):
    """An nn.LayerNorm or nn.BatchNorm; of the second also the running statistics."""
    own = {f"{name}.scale": layer.weight, f"{name}.offset": layer.bias}
    if getattr(layer, "running_mean", None) is not None:
        own |= {f"{name}.mean": layer.running_mean, f"{name}.variance": layer.running_var}
    return own


def projected(name, attention, first, last):
    """Of an nn.MultiheadAttention the projections first to last of queries, keys and values."""
    width = attention.embed_dim
    rows = slice(first * width, last * width)
    return {f"{name}.weight": attention.in_proj_weight[rows].t(), f"{name}.bias": attention.in_proj_bias[rows]}


def conv(name, layer):
    """An nn.Conv2d: weight [height, width, in, out]; of nn.ConvTranspose2d [height, width, out, in]."""
    return {f"{name}.weight": layer.weight.permute(2, 3, 1, 0), f"{name}.bias": layer.bias}


def int32(x):
    x &= 0xFFFFFFFF
    return x - 2**32 if x >= 2**31 else x


def mixed(word, first, second):
    word = (word ^ word >> 16) * first & 0xFFFFFFFF
    word = (word ^ word >> 15) * second & 0xFFFFFFFF
    return word ^ word >> 15


def bits(seed):
    """Halftone's generator(seed), xoroshiro128+ from splitmix32 (src/random/generator.ts), for a seed below 2^32."""
    state = []
    for i in range(4):
        state.append(mixed(seed + (i + 1) * 0x9E3779B9 & 0xFFFFFFFF, 0x21F0AAAD, 0x735A2D97))
    # [high, low] of both words.
    a, b = state[0] << 32 | state[1], state[2] << 32 | state[3]
    mask = 2**64 - 1
    while True:
        yield (a + b) & 0xFFFFFFFF
        c = a ^ b
        a = ((a << 24 | a >> 40) ^ c ^ c << 16) & mask
        b = (c << 37 | c >> 27) & mask


def randn(shape, seed):
    """Halftone's randn(shape, { from: seed }): Box and Muller in double precision."""
    source = bits(seed)
    uniform = lambda: (next(source) >> 8) * 2**-24
    values = []
    while len(values) < math.prod(shape):
        radius, angle = math.sqrt(-2 * math.log(1 - uniform())), 2 * math.pi * uniform()
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(values[: math.prod(shape)], dtype=torch.float64).float().reshape(shape)
