/** Child processes that the main thread waits for inside a call (`execSync`, `spawnSync`), found through Linux' /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** epoll_wait and epoll_pwait on x86-64, epoll_pwait and epoll_pwait2 on arm64. */
const waitingCalls = new Set(["232", "281", "22", "441"]);

/**
 * The child process for which the main thread waits, if any. Call this only when the main thread does not respond. If it then
 * waits in epoll, it is inside a nested event loop and waits for the child that it started last.
 */
export function blockedInChild(): number | undefined {
  const task = `/proc/self/task/${process.pid}`;
  const call = read(`${task}/syscall`)?.split(" ")[0];
  if (call === undefined || !waitingCalls.has(call)) return undefined;
  return newestOf(childrenOf(task)) ?? newestOf(orphans());
}

function newestOf(processes: readonly number[]): number | undefined {
  let newest: number | undefined;
  let newestStart = -1;
  for (const pid of processes) {
    const start = startOf(pid);
    if (start >= newestStart) {
      newest = pid;
      newestStart = start;
    }
  }
  return newest;
}

/**
 * Processes in this process's group whose parents, children of this process, have ended (`sh -c "sleep 60 &"`). `execSync`
 * goes on waiting while such a process holds its end of a pipe.
 */
function orphans(): number[] {
  const found: number[] = [];
  for (const name of listProcesses()) {
    const pid = Number(name);
    if (!pid || pid === process.pid) continue;
    const [state, parent, group] = fieldsOf(pid);
    if (state !== "Z" && Number(group) === process.pid && Number(parent) !== process.pid) found.push(pid);
  }
  return found;
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

/** Sends a signal to a process and all its descendants, as a terminal does for Ctrl-C. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  // A stopped process cannot start another child while its children are being killed.
  if (signal === "SIGKILL") send(pid, "SIGSTOP");
  for (const child of childrenOf(`/proc/${pid}/task/${pid}`)) signalTree(child, signal);
  send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
}

function childrenOf(task: string): number[] {
  return (read(`${task}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

/** The process's start time in clock ticks since boot. */
function startOf(pid: number): number {
  return Number(fieldsOf(pid)[19] ?? -1);
}

/** The fields of stat from the third (the state). They follow the name, which may contain any character. */
function fieldsOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat ? stat.slice(stat.lastIndexOf(")") + 2).split(" ") : [];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
