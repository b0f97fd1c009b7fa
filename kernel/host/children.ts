/** Child processes that the main thread waits for inside a call (`execSync`, `spawnSync`), found through Linux' /proc. */
import { readFileSync } from "node:fs";

/** epoll_wait and epoll_pwait on x86-64, epoll_pwait and epoll_pwait2 on arm64. */
const waitingCalls = new Set(["232", "281", "22", "441"]);

/**
 * The child for which the main thread waits, if it does. Call this only when the main thread answers nothing: one that
 * then sits in epoll is inside a nested loop, and what it started last is what it waits for.
 */
export function blockedInChild(): number | undefined {
  const task = `/proc/self/task/${process.pid}`;
  const call = read(`${task}/syscall`)?.split(" ")[0];
  if (call === undefined || !waitingCalls.has(call)) return undefined;
  let newest: number | undefined;
  let newestStart = -1;
  for (const child of childrenOf(task)) {
    const start = startOf(child);
    if (start >= newestStart) {
      newest = child;
      newestStart = start;
    }
  }
  return newest;
}

/** Sends a signal to a process and all below it, as a terminal does to what runs in it. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const child of childrenOf(`/proc/${pid}/task/${pid}`)) signalTree(child, signal);
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function childrenOf(task: string): number[] {
  return (read(`${task}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

/** Clock ticks from boot to the process's start: field 22 of stat, counted from behind the name, which may hold anything. */
function startOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return stat ? Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) : -1;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
