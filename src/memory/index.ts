export { collect as freeUnreachable, nativeMemory, resetPeak } from "../runtime/index.ts";
export { formatBytes } from "./bytes.ts";
export { type MemoryPrediction, predictTransformerMemory, transformerParameterCount } from "./predict.ts";
export { type MemoryProbe, type MemorySampler, memoryProbe, sampleMemory } from "./probe.ts";
