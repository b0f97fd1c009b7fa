export { type Figure, type FigureOptions, figure } from "./figure.ts";
export { type HistogramOptions, histogram } from "./histogram.ts";
export { type PlotFrameOptions, type PlotKind, type PlottedFrame, plotFrame } from "./plot-frame.ts";
export type { SaveFigureOptions } from "./save.ts";
export { palette } from "./template.ts";
