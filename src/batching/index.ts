export { type Batch, type PaddingStatistics, paddingStatistics, usefulTokens } from "./batch.ts";
export { type Batches, type FixedLengthOptions, fixedLengthBatches } from "./fixed-length.ts";
export { type FixedPadOptions, fixedPad } from "./fixed-pad.ts";
