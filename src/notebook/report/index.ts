export { headlineOf } from "./headline.ts";
export { type LandingEntry, renderLanding } from "./landing.ts";
export { renderPage, titleOf } from "./page.ts";
