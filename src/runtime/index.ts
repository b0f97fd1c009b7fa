export { type NativeOp, type Policy, type RunOp, standAtDoor } from "./door.ts";

import "./announce.ts";

export type { RuntimeInfo } from "./info.ts";
export { type NativeMemory, nativeMemory, type OpMemory, resetPeak } from "./ledger.ts";
export { ready, runtimeInfo, tf } from "./load.ts";
export { collect } from "./manage.ts";
