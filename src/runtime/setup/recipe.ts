import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import type { Device } from "../machine.ts";
import { tensorflowVersion, type Wheels, wheels } from "./wheels.ts";

/** All that decides what the native library is: the same recipe gives the same library. */
export interface Recipe extends Wheels {
  device: Device;
  /** Folder of the package whose `binding/*.cc` is compiled. */
  bindingFolder: string;
  /** Folder with Node's own C headers. */
  nodeHeaders: string;
  /** Short hash over all of the above: the library's folder in the cache. */
  key: string;
}

const require = createRequire(import.meta.url);
const packageFolder = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

/** The files of the package's binding, which is compiled. */
export const bindingSources = ({ bindingFolder }: Pick<Recipe, "bindingFolder">): string[] =>
  readdirSync(bindingFolder)
    .sort()
    .map((file) => path.join(bindingFolder, file));

/** The compiler's flags for the binding, without those of the linker. */
export const bindingFlags = [
  "-O2",
  "-std=c++17",
  "-shared",
  "-fPIC",
  "-DNAPI_VERSION=8",
  "-DNODE_GYP_MODULE_NAME=tfjs_binding",
];

/** The recipe for this machine. Throws `UserError` where TensorFlow publishes no library. */
export function recipeFor(device: Device): Recipe {
  const machine = `${process.platform} ${process.arch} ${device}`;
  const chosen = wheels[machine];
  if (!chosen) {
    throw new UserError(
      `There is no native TensorFlow ${tensorflowVersion} for ${machine}; there is one for ${Object.keys(wheels).join(", ")}.`,
      1,
    );
  }
  const bindingFolder = path.join(packageFolder("@tensorflow/tfjs-node-gpu"), "binding");
  const nodeHeaders = path.join(packageFolder("node-api-headers"), "include");
  const parts = chosen.wheels.flatMap(({ sha256, members }) => [sha256, ...members]);
  const hash = createHash("sha256").update(
    [`${process.arch} ${device}`, ...parts, ...bindingFlags, ...Object.entries(chosen.links ?? {}).flat()].join("\n"),
  );
  for (const file of bindingSources({ bindingFolder })) hash.update(readFileSync(file));
  return {
    device,
    ...chosen,
    bindingFolder,
    nodeHeaders,
    key: `${device}-${hash.digest("hex").slice(0, 16)}`,
  };
}
