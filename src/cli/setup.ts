import { findGpu } from "../runtime/machine.ts";
import { SetupProblem } from "../runtime/problem.ts";
import { provision } from "../runtime/provision.ts";
import { terminalProgress } from "./progress.ts";

/** `halftone setup`: builds the native library where it is missing. What is missing on the machine is no failure: WebAssembly works. */
export async function setup(): Promise<void> {
  const progress = terminalProgress();
  try {
    await provision(findGpu() ? "gpu" : "cpu", progress);
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    console.log(`[halftone] No native TensorFlow. ${error.message}`);
    console.log("[halftone] Using the slower WebAssembly backend until `halftone setup` succeeds.");
  } finally {
    progress.end();
  }
}
