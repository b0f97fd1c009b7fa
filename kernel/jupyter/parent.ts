import { Worker } from "node:worker_threads";

/** Sees to it that this process ends, by a thread of its own: see watchdog.ts. */
export function startWatchdog(): void {
  const worker = new Worker(new URL("./watchdog.js", import.meta.url), { execArgv: [] });
  worker.unref();
  // Without it all else works.
  worker.on("error", (error) => console.error("[halftone] the watchdog ended:", error));
}

/**
 * Calls back once the front end that started this kernel is gone, however it went. Front ends say who they are by
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
