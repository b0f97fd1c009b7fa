import "./autocast.ts";

export { autocastOp } from "./custom.ts";
export { formatLosses, gradientHistogram, type Losses, numberLine } from "./figures.ts";
export {
  GradScaler,
  type GradScalerOptions,
  type GradScalerState,
  type OptimizerStep,
  type Stepping,
} from "./grad-scaler.ts";
export { autocastLists, type List, type Listed, registerAutocast } from "./lists.ts";
export { autocast, autocastType, type HalfType } from "./region.ts";
