import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { threads } from "../../machine.ts";
import { type Addon, type BuildOptions, buildAddon, loadAddon } from "../../setup/addon.ts";
import { addonFlags, libraryNames } from "../../setup/linking.ts";

/** From dist/src/... to src/..., because the TypeScript compiler does not copy C++ files. */
const folder = fileURLToPath(new URL("../../../../../src/runtime/native/kernels/", import.meta.url));

const flags = ["-O3", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-DNAPI_VERSION=8"];
// Loops become vector instructions only when a comparison may be computed although its result is not used.
flags.push("-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi");

/** The addon for a platform and a processor; these ones by default. */
export const kernelsAddon = (platform?: string, arch: string = process.arch): Addon => ({
  name: "kernels",
  sources: readdirSync(folder)
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort()
    .map((name) => path.join(folder, name)),
  flags: [...flags, ...(arch === "x64" ? ["-mprefer-vector-width=512"] : []), ...addonFlags(platform)],
});

/** What the kernels are linked with. They lie elsewhere than TensorFlow, so on macOS they find its functions in the process, as Node's. */
export const kernelsLibraries = (folder: string, platform: string = process.platform): string[] =>
  platform === "darwin" ? [] : [path.join(folder, libraryNames(platform)[1])];

/** Compiles the kernels, if they are missing, against the native library in a folder. Throws `UserError` when that fails. */
export const buildKernels = (library: string, options?: BuildOptions): Promise<void> =>
  buildAddon({ ...kernelsAddon(), libraries: kernelsLibraries(path.join(library, "tensorflow")) }, options);

let fault: string | undefined = "TensorFlow is not loaded";

/** Makes the kernels known to TensorFlow, which must be loaded. Without them every op is TensorFlow's own. */
export function loadKernels(isUsingGpu: boolean): void {
  fault = isUsingGpu
    ? "the fused ones are for the CPU"
    : process.env.HALFTONE_KERNELS === "separate"
      ? "HALFTONE_KERNELS=separate asks for them"
      : register();
}

function register(): string | undefined {
  const loaded = loadAddon<{ register(threads: number): void }>(kernelsAddon());
  if ("fault" in loaded) return loaded.fault;
  try {
    loaded.addon.register(threads());
    return undefined;
  } catch (error) {
    return `TensorFlow refused the kernels: ${error instanceof Error ? error.message : error}`;
  }
}

let isSwitchedOff = false;

/**
 * Chooses what computes matrix products, norms, attention, dropout, activations, losses and updates of optimizers from now on: one kernel of Halftone's own
 * each ("fused"), where the machine has them, or several of the backend's ops ("separate"), which need more time and memory. As
 * `torch.nn.attention.sdpa_kernel` chooses PyTorch's attention. Returns whether the fused kernels are used now.
 *
 * @throws {RangeError} if `use` is neither "fused" nor "separate"
 */
export function setKernels(use: "fused" | "separate"): boolean {
  if (use !== "fused" && use !== "separate")
    throw new RangeError(`setKernels takes "fused" or "separate", got ${JSON.stringify(use)}`);
  isSwitchedOff = use === "separate";
  return hasKernels();
}

/** Whether the kernels are used. */
export const hasKernels = (): boolean => fault === undefined && !isSwitchedOff;

/** Why the kernels are not there; undefined when they are. */
export const kernelsFault = (): string | undefined => fault;
