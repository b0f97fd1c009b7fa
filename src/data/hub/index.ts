export { HubError, type HubFailure } from "./errors.ts";
export type { HubProgress } from "./progress.ts";
export { type HubOptions, hubSnapshot } from "./snapshot.ts";
