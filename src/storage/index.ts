import "./methods.ts";
import "./tape.ts";

export type { Storage } from "../runtime/index.ts";
export { float64, readFloat64, tensorBytes, tensorFromBytes } from "./bytes.ts";
export {
  bitString,
  type Format,
  floatBits,
  floatFormat,
  floatFromBits,
  roundTo,
  stochasticRound,
  ulp,
} from "./format.ts";
export { type HalfPrecision, halfPrecision } from "./info.ts";
export { storageOf, to } from "./to.ts";
