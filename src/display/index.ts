export { type DisplayHandle, display, inNotebook } from "./display.ts";
export { type Html, html, markdown } from "./html.ts";
export { type MetricOptions, metric } from "./metric.ts";
export { type Displayable, displaySymbol, type MimeBundle, mimeBundle } from "./mime.ts";
export { type TableOptions, table } from "./table.ts";
