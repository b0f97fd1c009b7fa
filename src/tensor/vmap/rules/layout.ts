// Kernels that move elements: their axes move by one.
import { tf } from "../../../runtime/index.ts";
import { run } from "../../engine.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import { batched, type Call, type Input, type Rule, readAxes, readAxis } from "../call.ts";

const only = ({ inputs }: Call): Input => Object.values(inputs)[0]!;

/** A rule that changes the attributes of a kernel of one tensor. */
const shifted =
  (change: (attributes: Call["attributes"], shape: readonly number[], size: number) => object): Rule =>
  (call) => {
    const { x, shape } = only(call);
    const name = Object.keys(call.inputs)[0]!;
    return run(call.kernel, { [name]: x }, { ...call.attributes, ...change(call.attributes, shape, call.level.size) });
  };

const numbers = (list: unknown): number[] => [...(list as number[])];

const oneAxis = shifted(({ axis }, { length }) => ({ axis: readAxis(axis ?? 0, length) + 1 }));

const joined =
  (extra: number): Rule =>
  ({ kernel, list, attributes, level }) => {
    const axis = readAxis(attributes.axis ?? 0, list[0]!.shape.length + extra) + 1;
    const inputs = list.map((input) => batched(input, level));
    return run(kernel, inputs as unknown as Record<string, AnyTensor>, { ...attributes, axis });
  };

const slice = shifted(({ begin, size }, shape, count) => {
  const like = { shape, rank: shape.length } as unknown as AnyTensor;
  const [from, sizes] = tf.slice_util.parseSliceParams(like, begin as number[], size as number[]);
  return { begin: [0, ...from!], size: [count, ...sizes!] };
});

const strided = shifted((attributes, _, count) => {
  const { begin, end, strides } = attributes;
  const mask = (name: string, all: boolean) => ((attributes[name] as number | undefined) ?? 0) * 2 + (all ? 1 : 0);
  return {
    begin: [0, ...numbers(begin)],
    end: [count, ...numbers(end)],
    strides: [1, ...(strides ? numbers(strides) : numbers(begin).map(() => 1))],
    beginMask: mask("beginMask", true),
    endMask: mask("endMask", true),
    ellipsisMask: mask("ellipsisMask", false),
    newAxisMask: mask("newAxisMask", false),
    shrinkAxisMask: mask("shrinkAxisMask", false),
  };
});

const padding = shifted(({ paddings }) => ({ paddings: [[0, 0], ...(paddings as number[][])] }));

export const layout: Readonly<Record<string, Rule>> = {
  Reshape: shifted(({ shape }, from, size) => ({
    shape: [size, ...tf.util.inferFromImplicitShape(numbers(shape), tf.util.sizeFromShape([...from]))],
  })),
  ExpandDims: shifted(({ dim }, { length }) => ({ dim: readAxis(dim, length + 1) + 1 })),
  Transpose: shifted(({ perm }, { length }) => ({
    perm: [0, ...(perm ? numbers(perm) : [...Array(length).keys()].reverse()).map((axis) => axis + 1)],
  })),
  Reverse: shifted(({ dims }, { length }) => ({ dims: readAxes(dims, length).map((axis) => axis + 1) })),
  Tile: shifted(({ reps }) => ({ reps: [1, ...numbers(reps)] })),
  PadV2: padding,
  MirrorPad: padding,
  Slice: slice,
  StridedSlice: strided,
  SplitV: oneAxis,
  Unpack: oneAxis,
  Cumsum: oneAxis,
  Cumprod: oneAxis,
  Concat: joined(0),
  Pack: joined(1),
};
