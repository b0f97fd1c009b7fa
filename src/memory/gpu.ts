import { execFileSync } from "node:child_process";
import { runtimeInfo } from "../runtime/index.ts";

/** A graphics card as its driver reports it (NVML, through nvidia-smi). Values that a card does not report are absent. */
export interface Gpu {
  name: string;
  /** Bytes in use by all processes. */
  memoryUsed?: number;
  /** Bytes of memory on the card. */
  memoryTotal?: number;
  /** Share of the last sample period in which a kernel ran, 0 to 1. */
  utilization?: number;
  /** Watts. */
  power?: number;
  /** Degrees Celsius. */
  temperature?: number;
  /** Clock of the multiprocessors, in MHz. */
  clock?: number;
}

const MIB = 2 ** 20;
/** The fields of nvidia-smi and their units. */
const fields = {
  memoryUsed: ["memory.used", MIB],
  memoryTotal: ["memory.total", MIB],
  utilization: ["utilization.gpu", 0.01],
  power: ["power.draw", 1],
  temperature: ["temperature.gpu", 1],
  clock: ["clocks.sm", 1],
} as const;

/** The NVIDIA cards of this machine; empty without a driver. Runs nvidia-smi. */
export function gpus(): Gpu[] {
  const entries = Object.entries(fields);
  const rows = query(`--query-gpu=name,${entries.map(([, [field]]) => field).join()}`);
  return rows.map(([name, ...values]) => {
    const reported = entries.flatMap(([key, [, unit]], i) => {
      // "[N/A]" or "[Not Supported]" where the card does not report it.
      const value = Number.parseFloat(values[i] ?? "");
      return Number.isNaN(value) ? [] : [[key, value * unit]];
    });
    return { name: name!, ...Object.fromEntries(reported) };
  });
}

/**
 * Bytes of GPU memory in use according to the driver: this process's where the driver distinguishes processes, else the first
 * card's. Undefined where ops do not run on a GPU. TensorFlow reserves more than its tensors need and keeps it.
 */
export function gpuMemory(): number | undefined {
  return runtimeInfo().device === "gpu" ? memoryOfProcess(process.pid) : undefined;
}

/** A process's memory on all cards. In a container the driver often has another process id for it. */
export function memoryOfProcess(pid: number): number | undefined {
  const used = query("--query-compute-apps=pid,used_memory")
    .filter(([id]) => Number(id) === pid)
    .map(([, mebibytes]) => Number.parseFloat(mebibytes!) * MIB);
  const sum = used.reduce((all, bytes) => all + bytes, 0);
  return used.length > 0 && !Number.isNaN(sum) ? sum : gpus()[0]?.memoryUsed;
}

function query(option: string): string[][] {
  try {
    const csv = execFileSync("nvidia-smi", [option, "--format=csv,noheader,nounits"], {
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
