import { execFileSync } from "node:child_process";
import { runtimeInfo } from "../runtime/index.ts";

/**
 * Bytes of GPU memory in use as the driver counts them: this process's where it can tell processes apart, else the whole
 * GPU's. Undefined where ops do not run on a GPU. TensorFlow takes more than its tensors need and keeps it.
 */
export function gpuMemory(): number | undefined {
  if (runtimeInfo().device !== "gpu") return undefined;
  const ask = (query: string) =>
    execFileSync("nvidia-smi", [query, "--format=csv,noheader,nounits"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    const own = ask("--query-compute-apps=pid,used_memory")
      .split("\n")
      .map((line) => line.split(",").map(Number))
      .find(([pid]) => pid === process.pid)?.[1];
    const mebibytes = own ?? Number(ask("--query-gpu=memory.used").split("\n")[0]);
    return Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : undefined;
  } catch {
    return undefined;
  }
}
