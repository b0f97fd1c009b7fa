/** What the kernel and its children use, in the fields that jupyter-resource-usage shows. */
import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import type { Json } from "./messages.ts";

/** Clock ticks a second in /proc: fixed at 100 for programs, whatever the kernel's own. */
const TICKS = 100;

export class Usage {
  #last: { at: number; ticks: Map<number, number>; host: { busy: number; total: number } } | undefined;

  /** CPU in percent of one core since the last call (0 on the first), memory in bytes. */
  measure(): Json {
    const pids = processTree(process.pid);
    const now = { at: performance.now(), ticks: new Map(pids.map((pid) => [pid, ticksOf(pid)])), host: hostTimes() };
    const last = this.#last;
    this.#last = now;
    let spent = 0;
    if (last) for (const [pid, ticks] of now.ticks) spent += ticks - (last.ticks.get(pid) ?? ticks);
    const seconds = last ? (now.at - last.at) / 1000 : 0;
    const total = last ? now.host.total - last.host.total : 0;
    const free = availableMemory();
    return {
      hostname: os.hostname(),
      pid: process.pid,
      kernel_cpu: seconds > 0 ? (spent / TICKS / seconds) * 100 : 0,
      kernel_memory: pids.reduce((sum, pid) => sum + memoryOf(pid), 0),
      cpu_count: os.cpus().length,
      host_cpu_percent: last && total > 0 ? ((now.host.busy - last.host.busy) / total) * 100 : 0,
      host_virtual_memory: {
        total: os.totalmem(),
        available: free,
        free: os.freemem(),
        used: os.totalmem() - free,
        percent: (1 - free / os.totalmem()) * 100,
      },
    };
  }
}

function processTree(root: number): number[] {
  const pids = [root];
  for (const pid of pids) {
    const tasks = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
    for (const task of tasks) {
      const children = attempt(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")) ?? "";
      pids.push(...children.split(" ").filter(Boolean).map(Number));
    }
  }
  return pids;
}

/** Pages shared among the processes count once (PSS). */
function memoryOf(pid: number): number {
  const rollup = attempt(() => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
  const kilobytes = rollup && /^Pss:\s+(\d+)/m.exec(rollup)?.[1];
  if (kilobytes) return Number(kilobytes) * 1024;
  return pid === process.pid ? process.memoryUsage.rss() : 0;
}

function ticksOf(pid: number): number {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (!stat) return pid === process.pid ? (process.cpuUsage().user + process.cpuUsage().system) / 10_000 : 0;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function hostTimes(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}

function availableMemory(): number {
  const info = attempt(() => readFileSync("/proc/meminfo", "utf8"));
  const kilobytes = info && /^MemAvailable:\s+(\d+)/m.exec(info)?.[1];
  return kilobytes ? Number(kilobytes) * 1024 : os.freemem();
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
