export type { RuntimeInfo } from "./info.ts";
export { ready, runtimeInfo, tf } from "./load.ts";
