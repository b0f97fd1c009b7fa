import { run } from "../../engine.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import { batched, padded, type Rule } from "../call.ts";

/** The kernel and its attributes do not depend on the number of axes in front. */
const same: Rule = ({ kernel, inputs, attributes }) =>
  run(kernel, Object.fromEntries(Object.entries(inputs).map(([name, { x }]) => [name, x])), attributes);

const broadcast: Rule = ({ kernel, inputs, attributes }) => {
  const rank = Math.max(...Object.values(inputs).map(({ shape }) => shape.length));
  const aligned = Object.entries(inputs).map(([name, input]) => [name, padded(input, rank)]);
  return run(kernel, Object.fromEntries(aligned), attributes);
};

/** The inputs have the same shape. */
const alike: Rule = ({ kernel, inputs, attributes, level }) =>
  run(
    kernel,
    Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, batched(input, level)])),
    attributes,
  );

/** tfjs also takes a vector that chooses rows. */
const select: Rule = ({ kernel, inputs, level }) => {
  const { condition, t, e } = inputs as Record<"condition" | "t" | "e", (typeof inputs)[string]>;
  const [whole, yes, no] = [condition, t, e].map((input) => batched(input, level)) as [AnyTensor, AnyTensor, AnyTensor];
  if (condition.shape.length === t.shape.length) return run(kernel, { condition: whole, t: yes, e: no });
  const missing = t.shape.length - condition.shape.length;
  const shape = [...whole.shape, ...Array<number>(missing).fill(1)];
  const reps = yes.shape.map((size, i) => (i < whole.rank ? 1 : size));
  const wide = run("Tile", { x: run("Reshape", { x: whole }, { shape }) }, { reps });
  return run(kernel, { condition: wide, t: yes, e: no });
};

const sum: Rule = ({ kernel, list, level }) =>
  run(kernel, list.map((input) => batched(input, level)) as unknown as Record<string, AnyTensor>);

const rulesOf = (rule: Rule, kernels: string) => Object.fromEntries(kernels.split(" ").map((name) => [name, rule]));

export const elementwise: Readonly<Record<string, Rule>> = {
  ...rulesOf(
    same,
    "Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil ClipByValue ComplexAbs Cos Cosh Elu Erf Exp Expm1 Floor Identity Imag " +
      "IsFinite IsInf IsNan LeakyRelu Log Log1p LogicalNot Neg OnesLike Real Reciprocal Relu Relu6 Round Rsqrt Selu " +
      "Sigmoid Sign Sin Sinh Softplus Sqrt Square Step Tan Tanh ZerosLike FFT IFFT OneHot TopK",
  ),
  ...rulesOf(
    broadcast,
    "Add Atan2 BitwiseAnd Equal FloorDiv Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr LogicalXor Maximum " +
      "Minimum Mod Multiply NotEqual Pow Prelu RealDiv SquaredDifference Sub",
  ),
  ...rulesOf(alike, "EluGrad Complex"),
  Select: select,
  AddN: sum,
};
