import { execFileSync } from "node:child_process";
import { runtimeInfo } from "../runtime/index.ts";

/** A graphics card as its driver reports it (NVML, by way of nvidia-smi). What a card does not report is absent. */
export interface Gpu {
  name: string;
  /** Bytes in use by all processes, and in all. */
  memoryUsed?: number;
  memoryTotal?: number;
  /** Share of the last moments in which it computed, 0 to 1. */
  utilization?: number;
  /** Watts. */
  power?: number;
  /** Degrees Celsius. */
  temperature?: number;
  /** Clock of the multiprocessors, in MHz. */
  clock?: number;
}

const MIB = 2 ** 20;
/** What is asked of a card, and the unit that it is told in. */
const figures = {
  memoryUsed: ["memory.used", MIB],
  memoryTotal: ["memory.total", MIB],
  utilization: ["utilization.gpu", 0.01],
  power: ["power.draw", 1],
  temperature: ["temperature.gpu", 1],
  clock: ["clocks.sm", 1],
} as const;

/** The NVIDIA cards of this machine; none where there is no driver. Takes a process of some 50 ms. */
export function gpus(): Gpu[] {
  const asked = Object.entries(figures);
  const rows = ask(`--query-gpu=name,${asked.map(([, [field]]) => field).join()}`);
  return rows.map(([name, ...values]) => {
    const told = asked.flatMap(([key, [, unit]], i) => {
      // "[N/A]" or "[Not Supported]" where the card does not know.
      const value = Number.parseFloat(values[i] ?? "");
      return Number.isNaN(value) ? [] : [[key, value * unit]];
    });
    return { name: name!, ...Object.fromEntries(told) };
  });
}

/**
 * Bytes of GPU memory in use as the driver counts them: this process's where it can tell processes apart, else the first
 * card's. Undefined where ops do not run on a GPU. TensorFlow takes more than its tensors need and keeps it.
 */
export function gpuMemory(): number | undefined {
  return runtimeInfo().device === "gpu" ? memoryOfProcess(process.pid) : undefined;
}

/** A process's memory on all cards; in a container the driver often knows it by another number. */
export function memoryOfProcess(pid: number): number | undefined {
  const own = ask("--query-compute-apps=pid,used_memory")
    .filter(([id]) => Number(id) === pid)
    .map(([, used]) => Number.parseFloat(used!) * MIB);
  const sum = own.reduce((all, bytes) => all + bytes, 0);
  return own.length > 0 && !Number.isNaN(sum) ? sum : gpus()[0]?.memoryUsed;
}

function ask(query: string): string[][] {
  try {
    const csv = execFileSync("nvidia-smi", [query, "--format=csv,noheader,nounits"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = csv.split("\n").filter((line) => line.includes(","));
    return lines.map((line) => line.split(",").map((field) => field.trim()));
  } catch {
    return [];
  }
}
