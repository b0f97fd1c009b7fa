export { collect as freeUnreachable, nativeMemory, resetPeak } from "../runtime/index.ts";
export { memoryBudget, OutOfMemoryError, withMemoryBudget } from "./budget.ts";
export { formatBytes, parseBytes } from "./bytes.ts";
export type { Holder } from "./holders.ts";
export { type Leaks, type LiveTensor, leaks, trackAllocations } from "./leaks.ts";
export { type MemoryPrediction, predictTransformerMemory, transformerParameterCount } from "./predict.ts";
export { type MemoryProbe, type MemorySampler, memoryProbe, sampleMemory } from "./probe.ts";
export { keep, type Scope, scope } from "./scope.ts";
