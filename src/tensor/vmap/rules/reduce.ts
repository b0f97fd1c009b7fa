import { sizeOf } from "../../../base/shape.ts";
import { run } from "../../engine.ts";
import { type Rule, readAxes, readAxis } from "../call.ts";

const reduction: Rule = ({ kernel, inputs, attributes }) => {
  const { x, shape } = inputs.x!;
  const axis = readAxes(attributes.reductionIndices ?? attributes.axis, shape.length).map((each) => each + 1);
  // A scalar has no axis, and its reduction is the scalar.
  if (axis.length === 0) return run("Identity", { x });
  return run(kernel, { x }, { ...attributes, axis, reductionIndices: axis });
};

const position: Rule = ({ kernel, inputs, attributes }) => {
  const { x } = inputs.x!;
  const axis = readAxis([attributes.axis ?? 0].flat()[0], x.rank - 1) + 1;
  // TensorFlow's kernels take at most 7 axes.
  const [before, after] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
  const merged = run("Reshape", { x }, { shape: [before, x.shape[axis]!, after] });
  const made = run(kernel, { x: merged }, { ...attributes, axis: 1 });
  return run("Reshape", { x: made }, { shape: x.shape.toSpliced(axis, 1) });
};

const softmax: Rule = ({ kernel, inputs, attributes }) => {
  const { x, shape } = inputs.logits!;
  return run(kernel, { logits: x }, { ...attributes, dim: readAxis(attributes.dim ?? -1, shape.length) + 1 });
};

export const reductions: Readonly<Record<string, Rule>> = {
  Sum: reduction,
  Mean: reduction,
  Prod: reduction,
  Max: reduction,
  Min: reduction,
  Any: reduction,
  All: reduction,
  ArgMax: position,
  ArgMin: position,
  Softmax: softmax,
};
