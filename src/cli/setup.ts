import { UserError } from "../base/user-error.ts";
import { buildFinalizer } from "../runtime/finalizer-build.ts";
import { findGpu } from "../runtime/machine.ts";
import { buildBinding } from "../runtime/native/binding/addon.ts";
import { buildKernels } from "../runtime/native/kernels/load.ts";
import type { BuildOptions } from "../runtime/setup/addon.ts";
import type { Progress } from "../runtime/setup/progress.ts";
import { explained, provision } from "../runtime/setup/provision.ts";
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
  const { signal } = stop;
  const part = (to: Progress, title: string, withoutIt: string, build: (options: BuildOptions) => Promise<void>) =>
    optional(to, withoutIt, () => build({ signal, onCompile: () => to.step(`Compiling ${title}`) }));
  const collector = (to: Progress) =>
    part(to, "the addon that frees tensors (about 1 s)", "Memory will be freed with a delay", buildFinalizer);
  try {
    if (process.env.HALFTONE_BACKEND === "wasm") return await collector(progress);
    const library = await nativeLibrary(progress, signal);
    if (library) {
      await collector(progress);
      const withoutBinding = "Small operations will be slower, and training steps will not be captured";
      await part(progress, "the addon for operations and captured steps (about 10 s)", withoutBinding, (options) =>
        buildBinding(library, options),
      );
      return await part(progress, "the fused kernels (about 25 s)", "Training will be slower", (options) =>
        buildKernels(library, options),
      );
    }
    progress.step("Using the WebAssembly backend: all operations work, but slower. `halftone doctor` explains why.");
    // The reason that was reported may also prevent the build of the collector.
    await collector({ ...progress, step: () => {} });
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.step("Stopped. `halftone setup` resumes from the last finished download.");
    process.exitCode = signal.reason === "SIGINT" ? 130 : 143;
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

/**
 * Builds a part that halftone also works without. Where that is refused, it says what is worse without it, and why.
 */
async function optional(progress: Progress, withoutIt: string, build: () => Promise<void>): Promise<void> {
  try {
    await explained(build);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.step(`${withoutIt}: ${error.message}`);
  }
}
