export { deriveSeed, deriveWords } from "./derive.ts";
export { type Generator, generator } from "./generator.ts";
export { noteState, observed, replayed } from "./observe.ts";
export { philoxBlock, philoxWords } from "./philox.ts";
