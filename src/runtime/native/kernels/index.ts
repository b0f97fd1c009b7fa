export { type AdamNumbers, adamStep, globalNorm } from "./adam.ts";
export { gelu, geluGradient } from "./gelu.ts";
export { hasKernels } from "./load.ts";
export { norm, normGradients } from "./norm.ts";
export { gruStep, gruStepGradient, lstmStep, lstmStepGradient } from "./recurrent.ts";
