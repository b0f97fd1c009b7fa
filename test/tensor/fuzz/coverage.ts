// Public functions that no program of the fuzz can call, and why.
const noReference = "its numbers are random: test/tensor/random.test.ts has their statistics";
const ofTrees = "works on trees, and computes nothing";
const ofGradients = "every gradient of the fuzz goes through it, or through what it is made of";
const ofLayers = "a layer or its initial values: test/nn/layers compares it with PyTorch's";
const ofFiles = "reads or writes files or frames: test/tensor/files.test.ts";

const ofTransforms =
  "a transformation of functions: test/tensor/transform compares it with torch.func and with a loop";

export const withoutPrograms: Record<string, string> = {
  deriveSeed: noReference,
  bernoulli: noReference,
  categorical: noReference,
  multinomial: noReference,
  generator: noReference,
  randperm: noReference,
  randint: noReference,
  randn: noReference,
  randomState: noReference,
  seed: noReference,
  rand: noReference,
  checkpoint: "every fourth gradient of the fuzz goes through it",
  customGrad: ofGradients,
  grad: ofGradients,
  valueAndGrad: ofGradients,
  noGrad: ofGradients,
  vmap: ofTransforms,
  jvp: ofTransforms,
  vjp: ofTransforms,
  hvp: ofTransforms,
  jacobian: ofTransforms,
  hessian: ofTransforms,
  perExampleGrad: ofTransforms,
  namesOf: "gives the names of axes, which NumPy and PyTorch do not have",
  ShapeError: "an error",
  scaledDotProductAttention: "test/nn/scaled-dot-product-attention.test.ts compares it with PyTorch's",
  load: ofFiles,
  save: ofFiles,
  unflatten: ofFiles,
  fromFrame: ofFiles,
  toFrameRows: ofFiles,
  parameters: ofTrees,
  parameterList: ofTrees,
  countParameters: ofTrees,
  describeTree: ofTrees,
  disposeTree: ofTrees,
  keepTree: ofTrees,
  leaves: ofTrees,
  mapTree: ofTrees,
  zipTrees: ofTrees,
  stateDict: "copies parameters: test/tensor/state-dict.test.ts",
  loadStateDict: "assigns parameters: test/tensor/state-dict.test.ts",
  xavierUniform: ofLayers,
  sequential: ofLayers,
  flatten: ofLayers,
  modelOf: ofLayers,
  transformerClassifier: "a model: test/nn/pytorch.test.ts compares it with PyTorch's",
  predictTransformerMemory: "counts bytes: test/memory/profile.test.ts and test/train/train.test.ts measure them",
  transformerParameterCount: "counts parameters: test/train/train.test.ts",
  labelTensor: "makes a tensor of a batch's labels",
};
