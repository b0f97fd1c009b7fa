export { type Figure, type FigureOptions, figure } from "./figure.ts";
export { type HistogramOptions, histogram } from "./histogram.ts";
export { palette } from "./template.ts";
