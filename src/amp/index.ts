import "./autocast.ts";
import "./methods.ts";
import { matchGradientsWhenNeeded } from "./storage/tape.ts";

export type { Storage } from "../runtime/index.ts";
export { autocastOp } from "./custom.ts";
export { formatLosses, gradientHistogram, type Losses, numberLine } from "./figures.ts";
export {
  bitString,
  type Format,
  floatBits,
  floatFormat,
  floatFromBits,
  roundTo,
  stochasticRound,
  ulp,
} from "./formats/format.ts";
export {
  GradScaler,
  type GradScalerOptions,
  type GradScalerState,
  type OptimizerStep,
  type Stepping,
} from "./grad-scaler.ts";
export { type HalfPrecision, halfPrecision } from "./info.ts";
export { autocastLists, type List, type Listed, registerAutocast } from "./lists.ts";
export { autocast, autocastType, type HalfType } from "./region.ts";
export { float64, readFloat64, tensorBytes, tensorFromBytes } from "./storage/bytes.ts";
export { storageOf, to } from "./storage/to.ts";

matchGradientsWhenNeeded();
