"""
Outputs, gradients and second derivatives of PyTorch's convolutions, pools, batch norm and group norm in our layout, channels last.
`second` is the gradient of `sum(v * g)`, where `g` is the gradient of `sum(dy * y * y)`, both for the input:

    python bench/reference/layers.py test/nn/layers/fixtures/layers.json
"""

import json
import sys

import torch
from torch import nn

torch.manual_seed(0)
directions = torch.Generator().manual_seed(1)


def array(x):
    x = x.detach().contiguous()
    return {"shape": list(x.shape), "values": [float(f"{value:.9g}") for value in x.flatten().tolist()]}


def last(x):
    """Channels last."""
    return x.movedim(1, -1)


def weights(layer):
    """Under our names and in our layout."""
    if isinstance(layer, nn.BatchNorm2d):
        named = {"scale": layer.weight, "offset": layer.bias}
        return named | {"mean": layer.running_mean, "variance": layer.running_var}
    if isinstance(layer, nn.GroupNorm):
        return {"scale": layer.weight, "offset": layer.bias}
    if not hasattr(layer, "weight"):
        return {}
    order = {3: (2, 1, 0), 4: (2, 3, 1, 0)}[layer.weight.dim()]
    named = {"weight": layer.weight.permute(order)}
    return named | ({"bias": layer.bias} if layer.bias is not None else {})


def case(name, options, layer, shape, training=True, ties=False):
    layer.train(training)
    x = torch.randn(shape)
    x = (x.round() if ties else x).requires_grad_()
    before = {key: array(value) for key, value in weights(layer).items()}
    y = layer(x)
    dy = torch.randn_like(y)
    leaves = {key: value for key, value in layer.named_parameters()}
    gradients = torch.autograd.grad((y * dy).sum(), [x, *leaves.values()], retain_graph=True)
    (slope,) = torch.autograd.grad((y * y * dy).sum(), x, create_graph=True)
    v = torch.randn(shape, generator=directions)
    (second,) = torch.autograd.grad((slope * v).sum(), x)
    for parameter, gradient in zip(leaves.values(), gradients[1:]):
        parameter.grad = gradient
    ours = {"weight": "scale", "bias": "offset"} if isinstance(layer, (nn.BatchNorm2d, nn.GroupNorm)) else {}
    slopes = {}
    for key, value in leaves.items():
        own = value.grad
        if key == "weight" and not ours:
            own = own.permute({3: (2, 1, 0), 4: (2, 3, 1, 0)}[own.dim()])
        slopes[ours.get(key, key)] = array(own)
    after = {key: array(value) for key, value in weights(layer).items() if key in ("mean", "variance")}
    made = {"layer": name, "options": options, "training": training, "parameters": before, "x": array(last(x)), "y": array(last(y))}
    made |= {"dy": array(last(dy)), "dx": array(last(gradients[0])), "gradients": slopes, "after": after}
    return made | {"v": array(last(v)), "second": array(last(second))}


def norm(features):
    layer = nn.BatchNorm2d(features)
    with torch.no_grad():
        for each in layer.weight, layer.bias, layer.running_mean:
            each.normal_()
        layer.running_var.uniform_(0.5, 2)
    return layer


def groups(count, features):
    layer = nn.GroupNorm(count, features)
    with torch.no_grad():
        for each in layer.weight, layer.bias:
            each.normal_()
    return layer


conv = {"in": 3, "out": 4}
cases = [
    case("conv2d", {**conv, "kernelSize": 3}, nn.Conv2d(3, 4, 3), (2, 3, 6, 5)),
    case("conv2d", {**conv, "kernelSize": 3, "padding": "same"}, nn.Conv2d(3, 4, 3, padding="same"), (2, 3, 5, 4)),
    case("conv2d", {**conv, "kernelSize": [3, 2], "stride": [2, 1], "padding": [1, 0]}, nn.Conv2d(3, 4, (3, 2), (2, 1), (1, 0)), (2, 3, 6, 5)),
    case("conv2d", {**conv, "kernelSize": 3, "dilation": 2, "padding": 2, "bias": False}, nn.Conv2d(3, 4, 3, dilation=2, padding=2, bias=False), (1, 3, 6, 6)),
    case("conv2d", {"in": 4, "out": 8, "kernelSize": 3, "groups": 4, "padding": 1}, nn.Conv2d(4, 8, 3, groups=4, padding=1), (2, 4, 5, 5)),
    case("conv2d", {"in": 4, "out": 6, "kernelSize": 3, "groups": 2}, nn.Conv2d(4, 6, 3, groups=2), (2, 4, 5, 5)),
    case("conv1d", {**conv, "kernelSize": 3, "stride": 2, "padding": 1}, nn.Conv1d(3, 4, 3, 2, 1), (2, 3, 7)),
    case("convTranspose2d", {**conv, "kernelSize": 4, "stride": 2, "padding": 1}, nn.ConvTranspose2d(3, 4, 4, 2, 1), (2, 3, 4, 3)),
    case("convTranspose2d", {**conv, "kernelSize": 3, "stride": 2, "padding": 1, "outputPadding": 1}, nn.ConvTranspose2d(3, 4, 3, 2, 1, 1), (1, 3, 3, 3)),
    case("maxPool2d", {"kernelSize": 2}, nn.MaxPool2d(2), (2, 3, 6, 5)),
    case("maxPool2d", {"kernelSize": 3, "stride": 2}, nn.MaxPool2d(3, 2), (2, 3, 7, 7)),
    case("avgPool2d", {"kernelSize": [2, 3]}, nn.AvgPool2d((2, 3)), (2, 3, 6, 6)),
    case("maxPool1d", {"kernelSize": 2}, nn.MaxPool1d(2), (2, 3, 7)),
    case("avgPool1d", {"kernelSize": 3, "stride": 2}, nn.AvgPool1d(3, 2), (2, 3, 7)),
    case("batchNorm", {"features": 4}, norm(4), (3, 4, 2, 2)),
    case("batchNorm", {"features": 4}, norm(4), (3, 4, 2, 2), training=False),
    case("groupNorm", {"features": 6, "groups": 3}, groups(3, 6), (2, 6, 2, 3)),
    case("groupNorm", {"features": 4, "groups": 1}, groups(1, 4), (3, 4, 3)),
    case("maxPool2d", {"kernelSize": 3, "stride": 2, "padding": 1}, nn.MaxPool2d(3, 2, 1), (2, 3, 6, 7)),
    case("maxPool2d", {"kernelSize": 3, "stride": 1, "padding": 1}, nn.MaxPool2d(3, 1, 1), (2, 3, 4, 5), ties=True),
    case("maxPool2d", {"kernelSize": [3, 2], "stride": [2, 1], "padding": [1, 0]}, nn.MaxPool2d((3, 2), (2, 1), (1, 0)), (2, 2, 5, 4), ties=True),
    case("avgPool2d", {"kernelSize": 3, "stride": 2, "padding": 1}, nn.AvgPool2d(3, 2, 1), (2, 3, 6, 7)),
    case("avgPool2d", {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": False}, nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 3, 6, 7)),
    case("avgPool2d", {"kernelSize": 3, "stride": 1, "padding": 1, "countIncludePad": False}, nn.AvgPool2d(3, 1, 1, count_include_pad=False), (1, 3, 4, 4)),
    case("maxPool1d", {"kernelSize": 3, "stride": 2, "padding": 1}, nn.MaxPool1d(3, 2, 1), (2, 3, 7), ties=True),
    case("avgPool1d", {"kernelSize": 4, "padding": 2}, nn.AvgPool1d(4, padding=2), (2, 3, 8)),
]
with open(sys.argv[1], "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
