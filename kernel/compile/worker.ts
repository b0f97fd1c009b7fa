/** The worker thread that calls functions for `offThread`. */
import { parentPort } from "node:worker_threads";

export interface Call {
  id: number;
  module: string;
  name: string;
  args: unknown[];
}
export type Answer = { id: number } & ({ result: unknown } | { error: string });

parentPort!.on("message", async ({ id, module, name, args }: Call) => {
  try {
    const functions = (await import(module)) as Record<string, (...args: unknown[]) => unknown>;
    parentPort!.postMessage({ id, result: functions[name]!(...args) } satisfies Answer);
  } catch (error) {
    parentPort!.postMessage({ id, error: (error as Error).message } satisfies Answer);
  }
});
