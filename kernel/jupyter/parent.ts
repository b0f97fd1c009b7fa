import { constants } from "node:os";
import { Worker } from "node:worker_threads";
import { loadFinalizer } from "../../src/runtime/finalizer-build.ts";

/** Seconds in which the main thread shuts down by itself after a signal and announces it to its clients. */
const endsWithin = 2;

/**
 * Makes sure that this process ends, however busy its main thread is: when its front end is gone, by a thread (see
 * watchdog.ts), and on SIGTERM and SIGHUP, by the system's alarm. Without the collector's addon the main thread alone
 * answers those signals.
 */
export function startWatchdog(): void {
  const loaded = loadFinalizer();
  if ("addon" in loaded)
    for (const signal of ["SIGTERM", "SIGHUP"] as const) loaded.addon.endAfter(constants.signals[signal], endsWithin);
  const worker = new Worker(new URL("./watchdog.js", import.meta.url), { execArgv: [] });
  worker.unref();
  // Without it all else works.
  worker.on("error", (error) => console.error("[halftone] the watchdog failed:", error));
}

/**
 * Calls back once the front end that started this kernel has ended. Front ends pass their process id in
 * `JPY_PARENT_PID`; without it the kernel was started by hand and may outlive its shell.
 */
export function watchParent(gone: () => void, env: NodeJS.ProcessEnv = process.env): void {
  const frontEnd = Number(env.JPY_PARENT_PID);
  // On Windows the variable is a handle, not a process id.
  if (!(frontEnd > 0) || process.platform === "win32") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(frontEnd)) return;
    clearInterval(timer);
    gone();
  }, 1000);
  timer.unref();
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
