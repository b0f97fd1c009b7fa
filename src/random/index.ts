export { deriveSeed, deriveWords } from "./derive.ts";
export { generator } from "./generator.ts";
export { isReplaying, noteState, observed, replayed } from "./observe.ts";
export { philoxBlock, philoxWords } from "./philox.ts";
export type { Generator } from "./types.ts";
