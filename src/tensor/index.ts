export * from "./arithmetic.ts";
export { broadcastTo } from "./broadcast.ts";
export { einsum } from "./einsum.ts";
export {
  abs,
  asType,
  ceil,
  clip,
  cos,
  erf,
  exp,
  expm1,
  floor,
  gelu,
  isFinite,
  isInfinite,
  isNaN,
  leakyRelu,
  log,
  log1p,
  logicalNot,
  neg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tan,
  tanh,
} from "./elementwise.ts";
export { ShapeError } from "./errors.ts";
export { matmul } from "./matmul.ts";
export { named, namesOf } from "./names.ts";
export { type Reduction, rearrange, reduce, repeat } from "./rearrange.ts";
export {
  all,
  any,
  argMax,
  argMin,
  count,
  cumsum,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  std,
  sum,
  variance,
} from "./reductions.ts";
export type { Dim, DType, Shape, Size } from "./types/shape.ts";
export type { AnyTensor, Operand, Tensor } from "./types/tensor.ts";
