import { UserError } from "../base/user-error.ts";
import { buildFinalizer } from "../runtime/finalizer-build.ts";
import { findGpu } from "../runtime/machine.ts";
import { buildBinding } from "../runtime/native/binding/addon.ts";
import { buildCapture } from "../runtime/native/capture/addon.ts";
import { buildKernels } from "../runtime/native/kernels/load.ts";
import { explained, type Progress, provision } from "../runtime/setup/provision.ts";
import { terminalProgress } from "./progress.ts";

/**
 * `halftone setup`: builds the native library where it is missing. It reports missing tools, but does not fail, because
 * WebAssembly works without them. Ctrl-C stops it and removes its unfinished files.
 */
export async function setup(): Promise<void> {
  const progress = terminalProgress();
  const stop = new AbortController();
  const stopBy = (signal: NodeJS.Signals) => stop.abort(signal);
  process.once("SIGINT", stopBy).once("SIGTERM", stopBy);
  try {
    if (process.env.HALFTONE_BACKEND === "wasm") return await collector(progress, stop.signal);
    const library = await nativeLibrary(progress, stop.signal);
    if (library) {
      await collector(progress, stop.signal);
      await binding(library, progress, stop.signal);
      await kernels(library, progress, stop.signal);
      return await capture(library, progress, stop.signal);
    }
    progress.step("Using the WebAssembly backend: all operations work, but slower. `halftone doctor` explains why.");
    // The reason that was reported may also prevent the build of the collector.
    await collector({ ...progress, step: () => {} }, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    progress.step("Stopped. `halftone setup` resumes from the last finished download.");
    process.exitCode = stop.signal.reason === "SIGINT" ? 130 : 143;
  } finally {
    progress.end();
  }
}

/** Builds the native library if needed. Returns its folder; undefined where there is none. */
async function nativeLibrary(progress: Progress, signal: AbortSignal): Promise<string | undefined> {
  for (const device of findGpu() ? (["gpu", "cpu"] as const) : (["cpu"] as const)) {
    try {
      return await provision(device, progress, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof UserError)) throw error;
      progress.step(`No native TensorFlow for the ${device.toUpperCase()}. ${error.message}`);
    }
  }
  return undefined;
}

/** Builds the collector, which both backends use. Without it, tensors are freed with a delay. */
async function collector(progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await explained(() => buildFinalizer(signal));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.step(`Memory will be freed with a delay: ${error.message}`);
  }
}

/** Builds the quick way to single ops. Without it, tfjs' own binding is used. */
async function binding(library: string, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await explained(() => buildBinding(library, signal));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.step(`Small operations will be slower: ${error.message}`);
  }
}

/** Builds the fused kernels. Without them, TensorFlow's own ops are used. */
async function kernels(library: string, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await explained(() => buildKernels(library, signal));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.step(`Training will be slower: ${error.message}`);
  }
}

/** Builds what captures steps. Without it, every step is computed op by op. */
async function capture(library: string, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await explained(() => buildCapture(library, signal));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.step(`Training steps will not be captured: ${error.message}`);
  }
}
