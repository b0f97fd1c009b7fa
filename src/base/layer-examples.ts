/** How each layer is called: with one argument, where PyTorch takes sizes, or layers, one by one. */
const layerExamples: Readonly<Record<string, string>> = {
  linear: "linear({ in: 3, out: 4 })",
  embedding: "embedding({ count: 100, features: 16 })",
  layerNorm: "layerNorm({ features: 16 })",
  rmsNorm: "rmsNorm({ features: 16 })",
  batchNorm: "batchNorm({ features: 16 })",
  groupNorm: "groupNorm({ features: 16, groups: 4 })",
  dropout: "dropout({ rate: 0.1 })",
  conv1d: "conv1d({ in: 3, out: 16, kernelSize: 3 })",
  conv2d: "conv2d({ in: 3, out: 16, kernelSize: 3 })",
  convTranspose2d: "convTranspose2d({ in: 16, out: 3, kernelSize: 4, stride: 2 })",
  maxPool1d: "maxPool1d({ kernelSize: 2 })",
  maxPool2d: "maxPool2d({ kernelSize: 2 })",
  avgPool1d: "avgPool1d({ kernelSize: 2 })",
  avgPool2d: "avgPool2d({ kernelSize: 2 })",
  lstm: "lstm({ in: 8, hidden: 16 })",
  gru: "gru({ in: 8, hidden: 16 })",
  multiHeadAttention: "multiHeadAttention({ features: 16, heads: 4 })",
  transformerEncoderLayer: "transformerEncoderLayer({ features: 16, heads: 4 })",
  transformerDecoderLayer: "transformerDecoderLayer({ features: 16, heads: 4 })",
  sequential: "sequential([linear({ in: 3, out: 4 }), relu])",
};

/** What a layer takes, as a sentence; undefined for another name. */
export function expectedArgument(name: string): string | undefined {
  if (!Object.hasOwn(layerExamples, name)) return undefined;
  const argument = name === "sequential" ? "one array of layers" : "one object of options";
  return `${name}: expected ${argument}, \`${layerExamples[name]}\``;
}
