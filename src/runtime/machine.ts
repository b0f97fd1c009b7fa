import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";

export type Device = "cpu" | "gpu";

/** The NVIDIA GPU's name, "NVIDIA GPU" when the driver reports no name, or undefined when there is no such GPU. */
export function findGpu(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const proc = "/proc/driver/nvidia/gpus";
  if (existsSync(proc)) {
    for (const gpu of readdirSync(proc)) {
      const model = /^Model:\s*(.+)$/m.exec(readFileSync(`${proc}/${gpu}/information`, "utf8"))?.[1];
      if (model) return model.trim();
    }
  }
  if (!existsSync("/dev/nvidia0") && !existsSync("/dev/nvidiactl")) return undefined;
  try {
    const listed = execFileSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return listed.split("\n")[0]?.trim() || "NVIDIA GPU";
  } catch {
    return existsSync("/dev/nvidia0") ? "NVIDIA GPU" : undefined;
  }
}

/**
 * The number of threads that one op may use: TensorFlow's environment variable if it is set, otherwise the cores that this
 * process may use.
 */
export function threads(): number {
  const asked = Number(process.env.TF_NUM_INTRAOP_THREADS);
  return asked > 0 ? asked : availableParallelism();
}

/** Bytes of memory that this process may use: the machine's memory, or the limit of its container. */
export function machineMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

/** Whether this is a Linux whose Node uses another C library than glibc, which TensorFlow's library needs there. */
export function lacksGlibc(): boolean {
  if (process.platform !== "linux") return false;
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/**
 * The instructions that multiply bfloat16 numbers faster than float32, where the CPU has some: AMX, or AVX512-BF16 of AMD. Intel's
 * AVX512-BF16 is slower than its float32 (Emerald Rapids: less than half as fast).
 */
export function bfloat16Instructions(): "amx" | "avx512" | undefined {
  if (process.platform !== "linux") return undefined;
  const cpus = readFileSync("/proc/cpuinfo", "utf8");
  if (/\bamx_bf16\b/.test(cpus)) return "amx";
  return /\bAuthenticAMD\b/.test(cpus) && /\bavx512_bf16\b/.test(cpus) ? "avx512" : undefined;
}
