import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import process from "node:process";
import { counted } from "../base/counted.ts";
import type { Executor } from "../sweep/executor.ts";

/** This command again, as a process that outlives the terminal and writes to sweep.log in the sweep's folder. */
export class DetachedCommand {
  #child: ChildProcess | undefined;

  /** Starts it. It waits for this process's lock on the folder. */
  readonly start: Executor["detach"] = async ({ store }, points) => {
    const log = store.file("sweep.log");
    const file = openSync(log, "a");
    const args = process.argv.slice(1).filter((arg) => arg !== "--detach");
    const stdio = ["ignore", file, file, "ipc"] as const;
    this.#child = spawn(process.execPath, [...process.execArgv, ...args], { detached: true, stdio: [...stdio] });
    await once(this.#child, "spawn");
    const { pid } = this.#child;
    return `Process ${pid} runs ${counted(points.length, "point")}, with its messages in ${log}; kill ${pid} stops it.`;
  };

  /** Settles when it has the lock on the folder, or has ended, or there is none. */
  async hasFolder(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    await Promise.race([once(child, "message"), once(child, "exit")]);
    if (child.connected) child.disconnect();
    child.unref();
  }

  /** Called in the detached process when it has the lock on the folder. */
  static tellParent(): void {
    if (!process.connected) return;
    process.send?.("has the folder", () => process.disconnect());
  }
}
