import "./iterate.ts";

export { deriveSeed, type Generator, generator } from "../random/index.ts";
export { elu, hardsigmoid, hardswish, logSigmoid, mish, prelu, selu } from "./activations.ts";
export * from "./arithmetic.ts";
export { at } from "./at.ts";
export { broadcastTo } from "./broadcast.ts";
export { cosineEmbeddingLoss, cosineSimilarity } from "./cosine.ts";
export { bincount, histc, searchSorted, unique } from "./counts.ts";
export {
  arange,
  eye,
  full,
  item,
  linspace,
  ones,
  onesLike,
  tensor,
  toArray,
  toTyped,
  zeros,
  zerosLike,
} from "./create.ts";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
export { type CtcOptions, ctcLoss } from "./ctc-loss.ts";
export { cumprod } from "./cumprod.ts";
export {
  type DivergenceOptions,
  type DivergenceReduction,
  type GaussianNllOptions,
  gaussianNllLoss,
  klDivergence,
} from "./divergence.ts";
export { dropout } from "./dropout.ts";
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
  sin,
  softplus,
  sqrt,
  square,
  tan,
  tanh,
} from "./elementwise.ts";
export { ShapeError } from "./errors.ts";
export { type Complex, type FourierNorm, type FourierOptions, fft, ifft, irfft, rfft } from "./fft/fft.ts";
export { type FrameLike, fromFrame, toFrameRows } from "./files/frame.ts";
export { load, save } from "./files/save.ts";
export type { SavedLeaf } from "./files/tree-leaves.ts";
export { unflatten } from "./files/unflatten.ts";
export { freeze, unfreeze } from "./freeze.ts";
export { gather, gatherAlong, oneHot } from "./gather.ts";
export { gelu } from "./gelu.ts";
export { checkpoint, customGrad, grad, stopGradient, type ValueAndGrad, valueAndGrad } from "./grad.ts";
export { huberLoss, smoothL1Loss } from "./huber.ts";
export { type InterpolateOptions, type InterpolationMode, interpolate } from "./interpolate.ts";
export { concat, split, stack, unstack } from "./join.ts";
export { clone, flip, pad, reshape, squeeze, swapAxes, transpose, unsqueeze } from "./layout.ts";
export { det, slogDet } from "./linalg/determinant.ts";
export { eigh } from "./linalg/eigh.ts";
export { qr } from "./linalg/qr.ts";
export { cholesky, inv, solve, solveTriangular } from "./linalg/solve.ts";
export { lstsq, pinv, svd } from "./linalg/svd.ts";
export { binaryCrossEntropy, type LossReduction, meanAbsoluteError, meanSquaredError } from "./losses.ts";
export { matmul } from "./matmul.ts";
export { named, namesOf } from "./names.ts";
export { layerNorm, rmsNorm } from "./normalize.ts";
export { type NamedParameter, type ParametersOf, parameterList, parameters, type Trainable } from "./parameters.ts";
export type { PathPattern } from "./path-pattern.ts";
export { median, type QuantileInterpolation, quantile } from "./quantile.ts";
export {
  bernoulli,
  type RandomOptions,
  rand,
  randint,
  randn,
  randomState,
  randperm,
  seed,
} from "./random.ts";
export { type Reduction, rearrange, reduce, repeat } from "./rearrange.ts";
export {
  all,
  any,
  argMax,
  argMin,
  cumsum,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  size,
  std,
  sum,
  variance,
} from "./reductions.ts";
export { categorical, multinomial } from "./sampling.ts";
export { indexAdd, indexCopy, scatter, scatterAdd } from "./scatter.ts";
export { silu } from "./silu.ts";
export { logSoftmax, softmax } from "./softmax.ts";
export { argSort, sort, topK } from "./sort.ts";
export {
  type LoadStateDictOptions,
  loadStateDict,
  type StateDict,
  type StateDictDifference,
  stateDict,
} from "./state-dict.ts";
export { noGrad } from "./tape.ts";
export { meshgrid, roll, tile } from "./tiling.ts";
export { acos, acosh, asin, asinh, atan, atanh, cosh, hypot, log2, log10, sinh, trunc } from "./transcendental.ts";
export { hessian, jacobian } from "./transform/jacobian.ts";
export { hvp, jvp, type Vjp, vjp } from "./transform/jvp.ts";
export { perExampleGrad } from "./transform/per-example-grad.ts";
export { type VmapOptions, vmap } from "./transform/vmap.ts";
export {
  countParameters,
  describeTree,
  disposeTree,
  type Gradients,
  keepTree,
  leaves,
  mapTree,
  zipTrees,
} from "./tree.ts";
export { diagEmbed, diagonal, outer, trace, tril, triu } from "./triangle.ts";
export type { Dim, DType, Shape, Size } from "./types/shape.ts";
export type { AnyTensor, Operand, Tensor } from "./types/tensor.ts";
export { where } from "./where.ts";

import { installShow } from "./show/show.ts";

installShow();
