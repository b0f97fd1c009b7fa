import { fileURLToPath } from "node:url";
import { type Addon, addonFile, buildAddon } from "../runtime/setup/addon.ts";

const library: Addon = {
  name: "listen address",
  // From dist/src/launch, because the TypeScript compiler does not copy C++ files.
  sources: [fileURLToPath(new URL("../../../src/launch/listen-address.cc", import.meta.url))],
  flags: ["-O2", "-std=c++17", "-shared", "-fPIC"],
};

/**
 * The environment in which TensorFlow's server listens on one address, `a.b.c.d:port`, instead of on every interface. Compiles what does
 * that, if it is missing.
 *
 * @throws UserError when there is no compiler
 */
export async function listenOnly(address: string): Promise<Record<string, string>> {
  await buildAddon(library);
  const preloaded = [addonFile(library), process.env.LD_PRELOAD].filter(Boolean);
  return { HALFTONE_LISTEN: address, LD_PRELOAD: preloaded.join(":") };
}
