export { type DisplayHandle, display, inNotebook } from "./display.ts";
export { escapeHtml, type Html, html, markdown } from "./html.ts";
export { type Displayable, displaySymbol, isDisplayable, type MimeBundle, mimeBundle } from "./mime.ts";
export { type TableOptions, table } from "./table.ts";
