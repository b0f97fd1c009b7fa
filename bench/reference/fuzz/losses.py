"""Losses beyond those of networks.py."""

import torch
import torch.nn.functional as F

from answers import Case
from networks import features, loss_options
from registry import maker
from values import UNDEFINED, Array


def positive(source, shape):
    """A quarter to two, exact in every storage."""
    return Array("f", shape, [source.between(1, 8) / 4 for _ in range(size_of(shape))])


def size_of(shape):
    size = 1
    for n in shape:
        size *= n
    return size


@maker("crossEntropy")
def weighted_cross_entropy(source, op):
    shape = features(source)
    classes = shape[-1]
    x = source.floats(shape, source.choice(["plain", "plain", "large"]))
    ignored = source.choice([-100, -100, 0])
    share = source.choice([0, 0, 0.4])
    labels = [ignored if source.chance(share) else source.between(0, classes - 1) for _ in range(size_of(shape[:-1]))]
    weight = positive(source, [classes])
    smoothing = source.choice([0, 0, 0.125])
    more = {"weight": weight}
    if ignored != -100:
        more["ignoreIndex"] = ignored
    if smoothing:
        more["labelSmoothing"] = smoothing
    how, options = loss_options(source, **more)

    def reference(x, labels, given):
        flat = F.cross_entropy(x.reshape(-1, classes), labels.reshape(-1).long(), reduction=how, ignore_index=ignored,
                               label_smoothing=smoothing, weight=given["weight"].detach())
        return flat.reshape(labels.shape) if how == "none" else flat

    return Case(op, [x, Array("i", shape[:-1], labels), *options], reference, gradient=True)


@maker("huberLoss", "smoothL1Loss")
def bent(source, op):
    shape = source.shape()
    a, b = source.floats(shape), source.floats(shape)
    if source.chance(0.3):
        b.values = [y if source.chance(0.5) else x for x, y in zip(a.values, b.values)]
    name = "delta" if op == "huberLoss" else "beta"
    bend = source.choice([None, 0.25, 2, *([0] if op == "smoothL1Loss" else [])])
    how, options = loss_options(source, **({} if bend is None else {name: bend}))
    f = F.huber_loss if op == "huberLoss" else F.smooth_l1_loss
    return Case(op, [a, b, *options], lambda a, b, *_: f(a, b, reduction=how, **{name: 1 if bend is None else bend}), gradient=True)


@maker("klDivergence")
def kl_divergence(source, op):
    shape = source.shape(low=1, least=1)
    x = source.floats(shape)
    in_logs = source.chance(0.4)
    # At a target of 0 PyTorch's gradient is infinite.
    has_zeros = not in_logs and source.chance(0.3)
    if in_logs:
        t = source.floats(shape)
    else:
        t = positive(source, shape)
        if has_zeros:
            t.values = [0.0 if source.chance(0.5) else v for v in t.values]
    how = source.choice([None, "mean", "sum", "none", "batchMean"])
    options = {**({"reduction": how} if how else {}), **({"logTarget": True} if in_logs else {})}
    torch_name = {"batchMean": "batchmean", None: "mean"}.get(how, how)
    reference = lambda x, t, *_: F.kl_div(x, t, reduction=torch_name, log_target=in_logs)
    return Case(op, [x, t, *([options] if options else [])], reference, gradient=not has_zeros)


@maker("gaussianNllLoss")
def gaussian(source, op):
    shape = source.shape(low=1, least=1)
    means, targets = source.floats(shape), source.floats(shape)
    variances = positive(source, [*shape[:-1], 1] if source.chance(0.3) else shape)
    # PyTorch's least variance is 0 in float16.
    if source.storage != "float16" and source.chance(0.2):
        variances.values = [0.0 if source.chance(0.3) else v for v in variances.values]
    more = {}
    if source.chance(0.3):
        more["full"] = True
    if source.chance(0.3):
        more["epsilon"] = 0.5
    how, options = loss_options(source, **more)
    reference = lambda m, t, v, *_: F.gaussian_nll_loss(
        m, t, v, full=more.get("full", False), eps=more.get("epsilon", 1e-6), reduction=how
    )
    return Case(op, [means, targets, variances, *options], reference, gradient=True)


def without_zeros(source, *vectors):
    """In float16, where a vector of zeros gives NaN in PyTorch: its epsilon is 0 there."""
    if source.storage == "float16":
        for x in vectors:
            x.values = [v or 1.0 for v in x.values]


@maker("cosineSimilarity")
def cosine(source, op):
    a_shape = source.shape(low=1, least=1)
    b_shape = [1 if source.chance(0.2) else size for size in a_shape]
    a, b = source.floats(a_shape), source.floats(b_shape)
    if source.chance(0.15):
        a.values = [0.0 for _ in a.values]
    without_zeros(source, a, b)
    axis = source.choice([UNDEFINED, source.axis(len(a_shape))])
    more = [axis, {"epsilon": 0.5}] if source.chance(0.2) else [axis]
    epsilon = 0.5 if len(more) > 1 else 1e-8
    reference = lambda a, b, *_: F.cosine_similarity(a, b, dim=-1 if axis is UNDEFINED else axis, eps=epsilon)
    # The gradient of parallel vectors is a difference of equal numbers.
    return Case(op, [a, b, *more], reference, gradient=True, least=(0, 1))


@maker("cosineEmbeddingLoss")
def cosine_embedding(source, op):
    shape = features(source)
    a, b = source.floats(shape), source.floats(shape)
    without_zeros(source, a, b)
    signs = [source.choice([1, 1, -1]) for _ in range(size_of(shape[:-1]))]
    targets = Array(source.choice(["i", "f"]), shape[:-1], signs)
    more = {"margin": source.choice([0.25, -0.5])} if source.chance(0.4) else {}
    how, options = loss_options(source, **more)

    def reference(a, b, t, *_):
        width = shape[-1]
        t = t.detach()
        flat = F.cosine_embedding_loss(
            a.reshape(-1, width), b.reshape(-1, width), t.reshape(-1), margin=more.get("margin", 0), reduction=how
        )
        return flat.reshape(t.shape) if how == "none" else flat

    return Case(op, [a, b, targets, *options], reference, gradient=True, least=(0, 1))


@maker("ctcLoss")
def ctc(source, op):
    batch, time, classes, width = (source.between(1, n) for n in (3, 5, 4, 3))
    classes += 1
    x = source.floats([batch, time, classes])
    blank = source.between(0, classes - 1)
    others = [c for c in range(classes) if c != blank]
    labels = Array("i", [batch, width], [source.choice(others) for _ in range(batch * width)])
    steps = [source.between(1, time) for _ in range(batch)]
    counts = [source.between(0, width) for _ in range(batch)]
    more = {"zeroInfinity": True} if source.chance(0.6) else {}
    if blank:
        more["blank"] = blank
    how, options = loss_options(source, **more)

    def reference(x, labels, *_):
        return F.ctc_loss(x.transpose(0, 1), labels.long(), torch.tensor(steps), torch.tensor(counts), blank=blank,
                          reduction=how, zero_infinity=more.get("zeroInfinity", False))  # fmt: skip

    x.values = F.log_softmax(torch.tensor(x.numpy()), -1).flatten().tolist()
    return Case(op, [x, labels, steps, counts, *options], reference, gradient=bool(more.get("zeroInfinity")))
