/// <reference lib="esnext.disposable" preserve="true" />
// The library of a user's program may be older than what the declarations name (`Disposable`).
export * from "./amp/index.ts";
export * from "./batching/index.ts";
export * from "./data/index.ts";
export * from "./display/index.ts";
export * from "./distributed/index.ts";
export * from "./memory/index.ts";
export * from "./nn/index.ts";
// With tensors these are the ops of tensor/, with options the layers of nn/.
export { dropout, layerNorm, rmsNorm } from "./nn/index.ts";
export * from "./plot/index.ts";
export { type RuntimeInfo, ready, runtimeInfo, setKernels } from "./runtime/index.ts";
export * from "./storage/index.ts";
export * from "./tensor/index.ts";
export { tf } from "./tensor/tfjs.ts";
export * from "./train/index.ts";
