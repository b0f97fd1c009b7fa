export type { ReduceOp } from "./collective.ts";
export { type AllReduceOptions, type Distributed, distributed } from "./distributed.ts";
export { WorkerError } from "./worker-error.ts";
