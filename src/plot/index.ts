export { type BatchRectanglesOptions, batchRectangles, paddingComparison } from "./batching.ts";
export { type Figure, type FigureOptions, figure } from "./figure.ts";
export { type HistogramOptions, histogram } from "./histogram.ts";
export { stepTimes, trainingFigure } from "./steps.ts";
export { palette } from "./template.ts";
export { accuracyCurve, lossCurve, memoryTimeline } from "./training.ts";
