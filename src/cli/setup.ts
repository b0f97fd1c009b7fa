import { buildCollector } from "../runtime/collector.ts";
import { findGpu } from "../runtime/machine.ts";
import { SetupProblem } from "../runtime/problem.ts";
import { type Progress, provision } from "../runtime/provision.ts";
import { terminalProgress } from "./progress.ts";

/**
 * `halftone setup`: builds the native library where it is missing. What is missing on this machine is said, and is no
 * failure: WebAssembly works without it. Stopped by Ctrl-C, it takes its unfinished files away.
 */
export async function setup(): Promise<void> {
  if (process.env.HALFTONE_BACKEND === "wasm") return;
  const progress = terminalProgress();
  const stop = new AbortController();
  const stopBy = (signal: NodeJS.Signals) => stop.abort(signal);
  process.once("SIGINT", stopBy).once("SIGTERM", stopBy);
  let found = false;
  try {
    for (const device of findGpu() ? (["gpu", "cpu"] as const) : (["cpu"] as const)) {
      try {
        await provision(device, progress, stop.signal);
        found = true;
        break;
      } catch (error) {
        if (stop.signal.aborted || !(error instanceof SetupProblem)) throw error;
        progress.step(`No native TensorFlow for the ${device.toUpperCase()}. ${error.message}`);
      }
    }
    if (found) await collector(progress, stop.signal);
    else progress.step("Using the WebAssembly backend: slower, everything works. `halftone doctor` says more.");
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    progress.step("Stopped. `halftone setup` goes on from the last finished download.");
    process.exitCode = stop.signal.reason === "SIGINT" ? 130 : 143;
  } finally {
    progress.end();
  }
}

/** The native library is there, so a compiler is: without the collector tensors are freed too, but late. */
async function collector(progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await buildCollector(signal);
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    progress.step(`Tensors will be freed late: ${error.message}`);
  }
}
