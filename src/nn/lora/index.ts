export { loadLora } from "./load.ts";
export { lora } from "./lora.ts";
export type { AdaptableModel, Lora, LoraModel, LoraOptions, LoraPair, LoraParameters } from "./types.ts";
