export * from "./amp/index.ts";
export * from "./batching/index.ts";
export * from "./data/index.ts";
export * from "./display/index.ts";
export * from "./memory/index.ts";
export * from "./nn/index.ts";
export * from "./plot/index.ts";
export { type RuntimeInfo, ready, runtimeInfo, tf } from "./runtime/index.ts";
export * from "./tensor/index.ts";
// The general ones; those of nn are the Transformer's own.
export { crossEntropy, dropout, layerNorm } from "./tensor/index.ts";
export * from "./train/index.ts";
