import { fileURLToPath } from "node:url";
import type { FinalizerAddon } from "./finalizer-addon.ts";
import { type Addon, type BuildOptions, buildAddon, loadAddon } from "./setup/addon.ts";
import { addonFlags } from "./setup/linking.ts";

/** The experimental Node-API, whose finalizers run inside the collection, has the highest possible version number. */
const flags = ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=2147483647"];

/** The addon for a platform; this one by default. */
export const collectorAddon = (platform?: string): Addon => ({
  name: "collector",
  // From dist/src/runtime to src/runtime, because the TypeScript compiler does not copy C++ files.
  sources: ["finalizer.cc", "stderr.cc", "stderr.h"].map((name) =>
    fileURLToPath(new URL(`../../../src/runtime/${name}`, import.meta.url)),
  ),
  flags: [...flags, ...addonFlags(platform)],
});

/** Loads the addon that `halftone setup` built, or returns the reason why it cannot be loaded. */
export const loadFinalizer = (): { addon: FinalizerAddon } | { fault: string } =>
  loadAddon<FinalizerAddon>(collectorAddon());

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export const buildFinalizer = (options?: BuildOptions): Promise<void> => buildAddon(collectorAddon(), options);
