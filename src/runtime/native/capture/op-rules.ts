// What a captured step must know about TensorFlow's ops: which cannot be in it, and which inputs decide an output's shape.
import { INT32, INT64 } from "../storage-types.ts";

/** Ops with a state, random numbers of their own, or results whose shape depends on values. */
const uncapturable = new RegExp(
  `^(${[
    ...["Random", "Truncated", "ParameterizedTruncated", "Multinomial", "StatefulStandard", "StatefulUniform", "Rng"],
    ...[
      "Where",
      "Unique",
      "NonMax",
      "SetDiff",
      "ListDiff",
      "Boolean",
      "Dynamic",
      "Segment",
      "SparseSegment",
      "Bincount",
    ],
    ...[
      "DenseBincount",
      "Print",
      "Assert",
      "PyFunc",
      "Eager",
      "Write",
      "Read",
      "Assign",
      "Resource",
      "Var",
      "Tensor(List|Array)",
    ],
    ...[
      "Iterator",
      "Queue",
      "Lookup",
      "Hash",
      "Mutable",
      "Decode",
      "Encode",
      "String",
      "Sparse(To|Reorder|Fill)",
      "Ragged",
    ],
    ...["Stack", "Barrier", "CTCGreedy", "CTCBeam", "Save", "Restore", "Summary", "Image"],
  ].join("|")})`,
);

export interface OpOfStep {
  readonly name: string;
  readonly attrs: readonly { readonly name: string }[];
  /** The number of its outputs. */
  readonly count: number;
}

/** Why an op cannot be in a captured step; undefined when it can. */
export function refusal({ name, attrs, count }: OpOfStep): string | undefined {
  if (name !== "SparseSoftmaxCrossEntropyWithLogits" && uncapturable.test(name))
    return `${name} has a state, draws its own random numbers, or has a result whose shape depends on values`;
  if (count === 0) return `${name} has no result`;
  const seeded = attrs.some((attr) => attr.name === "seed" || attr.name === "seed2");
  return seeded ? `${name} draws its own random numbers` : undefined;
}

const all = "all";

/**
 * The inputs of an op that are data whatever their type; every other integer input may decide a shape (an axis, a permutation,
 * a size). An op that is not listed has none.
 */
const data: Record<string, readonly number[] | typeof all> = {
  ...listed(all, [
    ...["Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "FloorDiv", "FloorMod", "Mod", "Minimum", "Maximum"],
    ...["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Select", "SelectV2", "Cast", "Bitcast"],
    ...["Identity", "Neg", "Abs", "Sign", "Square", "SquaredDifference", "Pack", "Unpack", "ZerosLike", "OnesLike"],
    ...["BitwiseAnd", "BitwiseOr", "BitwiseXor", "Invert", "LeftShift", "RightShift", "GatherNd", "MatrixBandPart"],
    ...["TensorScatterAdd", "TensorScatterUpdate", "SparseSoftmaxCrossEntropyWithLogits", "ClipByValue", "Einsum"],
  ]),
  ...listed(
    [0],
    [
      ...[
        "Reshape",
        "Transpose",
        "ExpandDims",
        "Squeeze",
        "Slice",
        "StridedSlice",
        "Sum",
        "Mean",
        "Max",
        "Min",
        "Prod",
      ],
      ...["Tile", "Pad", "MirrorPad", "BroadcastTo", "SplitV", "ArgMax", "ArgMin", "Cumsum", "Cumprod", "ReverseV2"],
      ...["TopKV2", "Roll"],
    ],
  ),
  ...listed([0, 1], ["GatherV2", "UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentProd", "ScatterNd"]),
  ...listed([1], ["Split", "Fill", "StatelessRandomUniformFullInt", "StatelessRandomUniform", "StatelessRandomNormal"]),
  PadV2: [0, 2],
  OneHot: [0, 2, 3],
};

function listed(positions: readonly number[] | typeof all, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, positions]));
}

/** Ops of floating-point inputs whose values decide a shape. */
const ranges = new Set(["Range", "LinSpace"]);

/** Whether the values of an input may decide the shape of an op's outputs. `count` is the number of its inputs. */
export function decidesShape(op: string, input: number, count: number, dtype: number): boolean {
  if (ranges.has(op)) return true;
  if (dtype !== INT32 && dtype !== INT64) return false;
  // The axis is the last input.
  if (op === "ConcatV2") return input === count - 1;
  // Halftone's own kernels take all sizes from shapes and attributes, but for the batch of attention's operands side by side.
  if (op.startsWith("Halftone")) return input === 1 && (op === "HalftoneAttention" || op === "HalftoneAttentionGrad");
  const positions = data[op];
  return positions === undefined || (positions !== all && !positions.includes(input));
}
