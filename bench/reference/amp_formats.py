"""Writes test/amp/fixtures/formats.json: how NumPy and ml_dtypes read and round the half formats.

    pip install numpy ml_dtypes && python bench/reference/amp_formats.py

Decoding is compared over all 65,536 patterns, rounding over every midpoint between two neighbours and the doubles just
beside it. These are kept as hashes; what is near the limits is kept in full. ml_dtypes rounds a double to bfloat16
through float32, that is twice, so there the reference is exact integer arithmetic, which is first checked against
NumPy's float16 and against ml_dtypes on float32.
"""
import hashlib
import json
import math
import struct
from pathlib import Path

import ml_dtypes
import numpy as np

FORMATS = {"float16": (np.float16, 5, 10), "bfloat16": (ml_dtypes.bfloat16, 8, 7)}


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def exact(value, exponent_bits, fraction_bits):
    """The bits of the nearest number, ties to even, by integer arithmetic."""
    sign = 1 if struct.pack(">d", value)[0] & 0x80 else 0
    top = (1 << exponent_bits) - 1
    if value != value:
        return (top << fraction_bits) | (1 << (fraction_bits - 1))
    low = 2 - (1 << (exponent_bits - 1))
    size = abs(value)
    if size == float("inf"):
        return (sign << (exponent_bits + fraction_bits)) | (top << fraction_bits)
    mantissa, power = math.frexp(size)
    mantissa, power = int(mantissa * 2**53), power - 53
    exponent = max(low, power + mantissa.bit_length() - 1) if mantissa else low
    shift = exponent - fraction_bits - power
    if shift <= 0:
        steps = mantissa << -shift
    else:
        steps, rest, tie = mantissa >> shift, mantissa & ((1 << shift) - 1), 1 << (shift - 1)
        steps += rest > tie or (rest == tie and steps & 1)
    bits = steps + ((exponent - low) << fraction_bits)
    return (sign << (exponent_bits + fraction_bits)) | min(bits, top << fraction_bits)


def main():
    patterns = np.arange(65536, dtype=np.uint16)
    out = {}
    for name, (dtype, exponent_bits, fraction_bits) in FORMATS.items():
        values = patterns.view(dtype).astype(np.float32)
        values[np.isnan(values)] = np.float32("nan")
        infinity = exact(float("inf"), exponent_bits, fraction_bits)
        finite = np.arange(infinity, dtype=np.uint16).view(dtype).astype(np.float64)
        middle = (finite[:-1] + finite[1:]) / 2
        inputs = np.stack([np.nextafter(middle, -np.inf), middle, np.nextafter(middle, np.inf)], 1).ravel()
        inputs = np.concatenate([inputs, -inputs])
        expected = np.array([exact(x, exponent_bits, fraction_bits) for x in inputs], dtype=np.uint16)
        if name == "float16":
            assert (inputs.astype(np.float16).view(np.uint16) == expected).all()
        singles = inputs.astype(np.float32)
        rounded = singles.astype(dtype).view(np.uint16)
        assert all(exact(float(x), exponent_bits, fraction_bits) == y for x, y in zip(singles, rounded))
        limits = [0.0, -0.0, 1.0, 1 / 3, 0.1, 65503.99, 65504.0, 65519.0, 65519.99999, 65520.0, 65536.0, 1e30]
        limits += [2.0**-14, 2.0**-15, 2.0**-24, 2.0**-25, np.nextafter(2.0**-25, 1), 2.0**-26, 5e-324]
        limits += [3.3895313892515355e38, 3.4028234663852886e38, 3.39e38, 1e39, 2.0**-126, 2.0**-133, 2.0**-134]
        limits += [1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-8 + 2.0**-40, float("inf"), float("-inf"), float("nan")]
        out[name] = {
            "decoded": sha(values),
            "midpoints": sha(expected),
            "singles": sha(rounded),
            "limits": [[struct.pack(">d", x).hex(), exact(x, exponent_bits, fraction_bits)] for x in limits],
        }
    path = Path(__file__).parents[2] / "test/amp/fixtures/formats.json"
    path.write_text(json.dumps(out, indent=1) + "\n")


main()
