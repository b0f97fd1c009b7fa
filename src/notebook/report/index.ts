export { headlineOf } from "./headline.ts";
export { type LandingEntry, renderLanding } from "./landing.ts";
export { renderPage, type SharePlotly, titleOf } from "./page.ts";
export { sharedPlotly } from "./shared.ts";
