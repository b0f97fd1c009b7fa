/** Child processes that the main thread waits for inside a call (`execSync`, `spawnSync`), found through Linux' /proc. */
import { readdirSync, readFileSync } from "node:fs";

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
 * What ended children have left in this process's group (`sh -c "sleep 60 &"`). One that holds its end of a pipe keeps
 * `execSync` waiting.
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

/** Sends a signal to a process and all below it, as a terminal does to what runs in it. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  // Halted, it starts no other while those that it has started are ended.
  if (signal === "SIGKILL") send(pid, "SIGSTOP");
  for (const child of childrenOf(`/proc/${pid}/task/${pid}`)) signalTree(child, signal);
  send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function childrenOf(task: string): number[] {
  return (read(`${task}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

/** Clock ticks from boot to the process's start. */
function startOf(pid: number): number {
  return Number(fieldsOf(pid)[19] ?? -1);
}

/** Fields 3 (its state) and on of stat: they come behind the name, which may hold anything. */
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
