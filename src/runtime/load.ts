import path from "node:path";
import { claimProcess } from "./copies.ts";
import type { RuntimeInfo } from "./info.ts";
import { type Device, findGpu, threads } from "./machine.ts";
import { bindingAddon } from "./native/binding/addon.ts";
import { captureAddon } from "./native/capture/addon.ts";
import { ownCluster } from "./native/cluster/cluster.ts";
import { hasKernels, kernelsFault } from "./native/kernels/load.ts";
import { loadNative } from "./native.ts";
import { libraryFolder } from "./setup/cache.ts";
import { mainLibrary } from "./setup/linking.ts";
import { quickFault, readManifest } from "./setup/manifest.ts";
import { recipeFor } from "./setup/recipe.ts";
import { fallbackReason } from "./tensor-lifetimes.ts";
import { nativeBackendOf } from "./tfjs/backend.ts";
import { type Engine, engineOf, type Tfjs } from "./tfjs/engine.ts";
import { shareModules } from "./tfjs/modules.ts";
import { allOrNone } from "./tfjs/undo.ts";
import { loadWasm } from "./wasm.ts";

interface Runtime {
  tf: Tfjs;
  /** All but the kernels, which `setKernels` chooses. */
  info: Omit<RuntimeInfo, "kernels">;
  ready: Promise<unknown>;
}

const runtime = load();

/** All of tfjs and tfjs-node, on the backend that `runtimeInfo()` names. */
export const tf: Tfjs = runtime.tf;

/** tfjs' engine, including the members that its published type hides. */
export const engine: Engine = engineOf(tf);

/** The backend that runs ops, and why it was chosen. */
export function runtimeInfo(): RuntimeInfo {
  const late = fallbackReason();
  const kernels = hasKernels() ? "fused" : "separate";
  return { ...runtime.info, kernels, ...(late && { reason: `${runtime.info.reason}; ${late}` }) };
}

/** Resolves when ops may run: immediately on TensorFlow, after compilation on WebAssembly. */
export async function ready(): Promise<RuntimeInfo> {
  await runtime.ready;
  return runtimeInfo();
}

function load(): Runtime {
  claimProcess();
  shareModules();
  const asked = process.env.HALFTONE_BACKEND;
  if (asked && asked !== "wasm" && asked !== "tensorflow")
    throw new Error(`HALFTONE_BACKEND must be "tensorflow" or "wasm", got "${asked}"`);
  const kernels = process.env.HALFTONE_KERNELS;
  if (kernels && kernels !== "fused" && kernels !== "separate")
    throw new Error(`HALFTONE_KERNELS must be "fused" or "separate", got "${kernels}"`);
  const gpu = findGpu();
  const reasons: string[] = [];
  if (asked === "wasm") reasons.push("HALFTONE_BACKEND=wasm asks for it");
  for (const device of asked === "wasm" ? [] : gpu ? (["gpu", "cpu"] as const) : (["cpu"] as const)) {
    const found = usableLibrary(device);
    if ("fault" in found) {
      reasons.push(found.fault);
      continue;
    }
    try {
      const native = allOrNone(() => loadNative(found.folder));
      return { tf: native, info: nativeInfo(native, found, gpu, reasons), ready: Promise.resolve() };
    } catch (error) {
      reasons.push(`the library could not be loaded: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
    }
  }
  const cluster = ownCluster();
  if (cluster) {
    throw new Error(
      `worker ${cluster.rank} cannot join the cluster at ${cluster.addresses[cluster.rank]}, because ${reasons.join("; ")}. Workers need TensorFlow: run \`halftone doctor\`.`,
    );
  }
  if (asked === "tensorflow")
    throw new Error(`HALFTONE_BACKEND=tensorflow, but ${reasons.join("; ")}. Run \`halftone doctor\`.`);
  const { tf, ready, version } = loadWasm();
  const reason = `WebAssembly, because ${reasons.join("; ")}`;
  return {
    tf,
    ready,
    info: {
      backend: "wasm",
      version,
      device: "cpu",
      ...(gpu && { gpu }),
      threads: 1,
      capture: false,
      reason,
    },
  };
}

interface Library {
  folder: string;
  sha256: string;
  tensorflow: string;
}

function usableLibrary(device: Device): Library | { fault: string } {
  try {
    const folder = libraryFolder(recipeFor(device).key);
    const manifest = readManifest(folder);
    if (!manifest) return { fault: `the native library for the ${device} is not set up (run \`halftone setup\`)` };
    const wrong = quickFault(folder, manifest);
    if (wrong) return { fault: `the cached library is damaged: ${wrong} (run \`halftone setup\`)` };
    const sha256 = manifest.files[mainLibrary()]?.sha256 ?? "";
    return { folder, sha256, tensorflow: manifest.tensorflow };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function nativeInfo(
  native: Tfjs,
  library: Library,
  gpu: string | undefined,
  reasons: readonly string[],
): Runtime["info"] {
  const { isUsingGpuDevice } = nativeBackendOf(native);
  const why = gpu
    ? isUsingGpuDevice
      ? `${gpu} was found`
      : `${gpu} was found, but TensorFlow cannot use it (with TF_CPP_MIN_LOG_LEVEL=0 it says why)`
    : "there is no NVIDIA GPU";
  const fault = kernelsFault();
  const capture = captureAddon();
  const binding = bindingAddon();
  return {
    backend: "tensorflow",
    version: library.tensorflow,
    device: isUsingGpuDevice ? "gpu" : "cpu",
    ...(gpu && { gpu }),
    threads: threads(),
    capture: !("fault" in capture),
    library: { path: path.join(library.folder, mainLibrary()), sha256: library.sha256 },
    reason: [
      `TensorFlow on the ${isUsingGpuDevice ? "GPU" : "CPU"}, because ${why}`,
      ...reasons,
      ...(fault ? [`separate kernels, because ${fault}`] : []),
      ...("fault" in binding ? [`single ops take longer, because ${binding.fault}`] : []),
      ...("fault" in capture ? [`steps are not captured, because ${capture.fault}`] : []),
    ].join("; "),
  };
}
