"""Calls that NumPy and PyTorch refuse, and so must Halftone, by an error that names the op."""

from answers import Case
from registry import maker

BINARY = ["add", "sub", "mul", "div", "floorDiv", "mod", "pow", "maximum", "minimum", "equal", "notEqual", "less",
          "lessEqual", "greater", "greaterEqual", "logicalAnd", "logicalOr"]  # fmt: skip
LOSSES = ["meanSquaredError", "meanAbsoluteError", "binaryCrossEntropy"]
BY_AXIS = ["sum", "mean", "prod", "max", "min", "any", "all", "variance", "std", "norm", "logSumExp", "argMax", "argMin",
           "cumsum", "softmax", "logSoftmax", "flip", "squeeze", "unstack"]  # fmt: skip


def refusal(op, *args):
    return Case(op, list(args), refused=True)


@maker("refusals")
def refusals(source, _):
    f = source.floats
    x = source.any([2, 3])
    return source.choice([
        lambda: refusal(source.choice(BINARY), x, source.any([source.choice([2, 4]), 2])),
        lambda: refusal(source.choice(LOSSES), f([2, 3]), f(source.choice([[3], [2, 1], [1, 3], [], [2, 4]]))),
        lambda: refusal(source.choice(BY_AXIS), x, source.choice([2, -3, 7])),
        lambda: refusal("matmul", f([2, 3]), f(source.choice([[2, 3], [4], [2, 3, 2][:1], [5, 4, 2]]))),
        lambda: refusal("matmul", f([2, 2, 3]), f([3, 3, 2])),
        lambda: refusal("matmul", f([]), f([2])),
        lambda: refusal("einsum", "ij,jk->ik", f([2, 3]), f([2, 3])),
        lambda: refusal("layerNorm", f([3, 5]), f(source.choice([[2], [3], [4, 5], [5, 1]]))),
        lambda: refusal("rmsNorm", f([3, 5]), f(source.choice([[2], [3], [4, 5]]))),
        lambda: refusal("layerNorm", f([3, 5]), f([5]), f(source.choice([[2], [3]]))),
        lambda: refusal("concat", [x, source.any([2, 4])], 0),
        lambda: refusal("concat", [x, source.any([2])], 0),
        lambda: refusal("concat", []),
        lambda: refusal("stack", [x, source.any([3, 2])]),
        lambda: refusal("split", x, source.choice([2, 4, [1, 1], [2, 2]]), 1),
        lambda: refusal("reshape", x, source.choice([[4], [-1, 4], [2, 2], [7, -1]])),
        lambda: refusal("transpose", x, source.choice([[0, 0], [0], [0, 2]])),
        lambda: refusal("squeeze", x, 0),
        lambda: refusal("unsqueeze", x, source.choice([3, -4])),
        lambda: refusal("broadcastTo", x, source.choice([[2, 2], [3], [3, 2, 4]])),
        lambda: refusal("gather", x, [source.choice([2, -3, 9])]),
        lambda: refusal("gather", x, f([1])),
        lambda: refusal("gatherAlong", x, source.ints([3, 1], 0, 0)),
        lambda: refusal("at", x, source.choice([2, -3])),
        lambda: refusal("at", x, 0, 0, 0),
        lambda: refusal("where", source.bools([2]), x, 0),
        lambda: refusal("where", f([2, 3]), x, 0),
        lambda: refusal("topK", x, 4),
        lambda: refusal("oneHot", f([2]), 3),
        lambda: refusal("max", source.any([0, 3]), 0),
        lambda: refusal("argMin", source.any([3, 0]), 1),
        lambda: refusal("crossEntropy", f([2, 3]), source.ints([2], 3, 5)),
        lambda: refusal("crossEntropy", f([2, 3]), source.ints([3], 0, 1)),
        lambda: refusal("crossEntropy", f([2, 3]), f([2])),
        lambda: refusal("pad", x, [[1, 1]]),
        lambda: refusal("item", x),
        lambda: refusal("clip", x, 2, 1),
        lambda: refusal("rearrange", x, source.choice(["a -> a", "a b -> a", "a b c -> c b a"])),
        lambda: refusal("repeat", x, "a b -> a b c"),
        lambda: refusal("reduce", x, "a b -> c", "sum"),
        lambda: refusal("linear", f([2, 3]), f([2, 3]), f([3])),
        lambda: refusal("linear", f([2, 3]), f([3, 2]), f([3])),
        lambda: refusal("embedding", f([2, 3]), source.ints([1], 2, 4)),
        lambda: refusal("tensor", [[1, 2], [3]], {}),
        lambda: refusal("floorDiv", source.ints([2]), source.ints([2], 0, 0)),
        lambda: refusal("mod", source.ints([2]), source.ints([2], 0, 0)),
        lambda: refusal("pow", source.ints([2], 2, 3), source.ints([2], -2, -1)),
    ])()
