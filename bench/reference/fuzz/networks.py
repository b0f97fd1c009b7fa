"""Softmax and its kin, norms, losses, and the layers of a transformer."""

import math

import torch
import torch.nn.functional as F

from answers import Case, fl
from registry import maker
from values import UNDEFINED, Array

SOFT = {"softmax": F.softmax, "logSoftmax": F.log_softmax}


@maker(*SOFT)
def softmax(source, op):
    shape = source.shape(low=1)
    x = source.floats(shape, source.choice(["plain", "large", "wild", "plain"]))
    if source.chance(0.1):
        x = source.any(shape, "ib")
    axis = source.axis(len(shape))
    args = [x, axis] if axis != -1 or source.chance(0.5) else [x]
    return Case(op, args, lambda x, a=-1: SOFT[op](fl(x), a), gradient=x.kind == "f")


def features(source, low=1):
    shape = source.shape(low=1)
    shape[-1] = max(low, shape[-1])
    return shape


@maker("layerNorm")
def layer_norm(source, op):
    shape = features(source)
    x = source.floats(shape, source.choice(["plain", "plain", "large"]))
    gain = source.floats(shape[-1:]) if source.chance(0.7) else UNDEFINED
    bias = source.floats(shape[-1:]) if source.chance(0.6) else UNDEFINED
    epsilon = source.choice([UNDEFINED, 0.125])
    eps = 1e-5 if epsilon is UNDEFINED else epsilon
    reference = lambda x, gain, bias, _: F.layer_norm(x, x.shape[-1:], gain, bias, eps)
    return Case(op, [x, gain, bias, epsilon], reference, gradient=True)


@maker("rmsNorm")
def rms_norm(source, op):
    shape = features(source)
    x = source.floats(shape, source.choice(["plain", "plain", "large"]))
    gain = source.floats(shape[-1:]) if source.chance(0.7) else UNDEFINED
    epsilon = source.choice([UNDEFINED, 0.125])
    eps = 1e-5 if epsilon is UNDEFINED else epsilon
    return Case(op, [x, gain, epsilon], lambda x, gain, _: F.rms_norm(x, x.shape[-1:], gain, eps), gradient=True)


def loss_options(source, **more):
    how = source.choice([None, "mean", "sum", "none"])
    chosen = {**({"reduction": how} if how else {}), **more}
    return how or "mean", ([chosen] if chosen else [])


@maker("meanSquaredError", "meanAbsoluteError")
def regression(source, op):
    shape = source.shape()
    a, b = source.floats(shape), source.floats(shape)
    if source.chance(0.3):
        # Some exact hits.
        b.values = [y if source.chance(0.5) else x for x, y in zip(a.values, b.values)]
    how, options = loss_options(source)
    f = F.mse_loss if op == "meanSquaredError" else F.l1_loss
    return Case(op, [a, b, *options], lambda a, b, *_: f(a, b, reduction=how), gradient=True)


@maker("binaryCrossEntropy")
def binary_cross_entropy(source, op):
    shape = source.shape()
    x = source.floats(shape, source.choice(["plain", "plain", "large"]))
    t = Array("f", shape, [source.choice([0.0, 1.0, 0.25, 0.5]) for _ in x.values])
    how, options = loss_options(source)

    def reference(x, t, *_):
        # PyTorch's own loses what is far below 1 where the label is right.
        zero = torch.zeros_like(x)
        y = (1 - t) * torch.logaddexp(zero, x) + t * torch.logaddexp(zero, -x)
        return y if how == "none" else y.sum() if how == "sum" else y.mean()

    return Case(op, [x, t, *options], reference, gradient=True)


@maker("crossEntropy")
def cross_entropy(source, op):
    shape = features(source)
    classes = shape[-1]
    x = source.floats(shape, source.choice(["plain", "plain", "large"]))
    ignored = source.choice([-100, -100, 0, -1])
    share = source.choice([0, 0, 0.4, 1])
    count = math.prod(shape[:-1])
    labels = [ignored if source.chance(share) else source.between(0, classes - 1) for _ in range(count)]
    smoothing = source.choice([0, 0, 0.125])
    more = {}
    if ignored != -100:
        more["ignoreIndex"] = ignored
    if smoothing:
        more["labelSmoothing"] = smoothing
    how, options = loss_options(source, **more)

    def reference(x, labels, *_):
        flat = F.cross_entropy(x.reshape(-1, classes), labels.reshape(-1).long(), reduction=how,
                               ignore_index=ignored, label_smoothing=smoothing)
        return flat.reshape(labels.shape) if how == "none" else flat

    return Case(op, [x, Array("i", shape[:-1], labels), *options], reference, gradient=True)


@maker("dropout")
def dropout(source, op):
    # Only a rate of 0 is without chance.
    return Case(op, [source.floats(source.shape()), 0], lambda x, _: x.clone(), exact=True, gradient=True)


@maker("addWithDropout")
def add_with_dropout(source, op):
    shape = source.shape()
    return Case(op, [source.floats(shape), source.floats(shape), UNDEFINED], lambda a, b, _: a + b, gradient=True)


def some(source):
    return source.between(1, 4)


@maker("linear", "linearRelu")
def linear(source, op):
    rows, width, out = some(source), some(source), some(source)
    args = [source.floats([rows, width]), source.floats([width, out]), source.floats([out])]

    def reference(x, w, b, *_):
        y = x @ w + b
        return F.relu(y) if op == "linearRelu" else y

    return Case(op, [*args, *([UNDEFINED] if op == "linearRelu" else [])], reference, gradient=True)


@maker("embedding")
def embedding(source, op):
    size, width, count = some(source), some(source), some(source)
    args = [source.floats([size, width]), source.ints([count], 0, size - 1)]
    return Case(op, args, lambda table, ids: table[ids.long()], exact=True, gradient=True)


@maker("meanPool")
def pool(source, op):
    rows, time, width, segments = (source.between(1, 3) for _ in range(4))
    x, w = source.floats([rows * time, width]), source.floats([rows, segments, time])

    def reference(x, w):
        return (w.detach() @ x.reshape(rows, time, width)).reshape(rows * segments, width)

    return Case(op, [x, w], reference, gradient=True)


@maker("attention")
def attention(source, op):
    rows, time, heads, size = (source.between(1, 3) for _ in range(4))
    width = heads * size
    x = source.floats([rows * time, 3 * width])
    style = source.choice(["none", "padding", "packed"])
    bias = None
    if style != "none":
        shape = [rows, 1, 1 if style == "padding" else time, time]
        hidden = [source.choice([0.0, 0.0, -1e9 if source.storage in ("float32", "float64") else -1e4])
                  for _ in range(math.prod(shape))]
        # Each query sees something.
        bias = Array("f", shape, [0.0 if i % time == 0 else h for i, h in enumerate(hidden)])
    options = {"rows": rows, "time": time, "heads": heads, **({"bias": bias} if bias else {})}

    def reference(x, options):
        q, k, v = x.reshape(rows, time, 3, heads, size).permute(2, 0, 3, 1, 4)
        mask = options.get("bias")
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask.detach().to(q.dtype))
        return y.transpose(1, 2).reshape(rows * time, width)

    return Case(op, [x, options], reference, gradient=True)
