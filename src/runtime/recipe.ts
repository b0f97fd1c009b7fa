import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Device } from "./machine.ts";
import { SetupProblem } from "./problem.ts";

/** One Python wheel that is downloaded, and what of it is kept. */
export interface Wheel {
  project: string;
  version: string;
  file: string;
  sha256: string;
  /** Size of the download. */
  bytes: number;
  /** Members whose path starts with one of these are unpacked, under their own path. */
  members: readonly string[];
}

/** All that decides what the native library is: the same recipe gives the same library. */
export interface Recipe {
  device: Device;
  wheels: readonly Wheel[];
  /** Folder of the package whose `binding/*.cc` is compiled. */
  bindingFolder: string;
  /** Folder with Node's own C headers. */
  nodeHeaders: string;
  flags: readonly string[];
  /** Short hash over all of the above: the library's folder in the cache. */
  key: string;
}

export const tensorflowVersion = "2.21.0";

const tensorflow = {
  version: tensorflowVersion,
  members: [
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
    "tensorflow/include/tensorflow/c/",
    "tensorflow/include/tensorflow/core/platform/ctstring",
    "tensorflow/include/tsl/platform/ctstring",
    "tensorflow/include/xla/tsl/c/",
  ],
};

const wheels: Record<string, readonly Wheel[]> = {
  "x64 cpu": [
    {
      ...tensorflow,
      project: "tensorflow-cpu",
      file: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
      bytes: 273_829_956,
    },
  ],
  "arm64 cpu": [
    {
      ...tensorflow,
      project: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
      bytes: 281_828_020,
    },
  ],
};

const require = createRequire(import.meta.url);
const packageFolder = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

/** The recipe for this machine. Throws `SetupProblem` where TensorFlow publishes no library. */
export function recipeFor(device: Device): Recipe {
  const machine = `${process.arch} ${device}`;
  const chosen = process.platform === "linux" ? wheels[machine] : undefined;
  if (!chosen) {
    throw new SetupProblem(
      `There is no native TensorFlow ${tensorflowVersion} for ${process.platform} ${machine}; there is one for Linux on ${Object.keys(wheels).join(", ")}.`,
    );
  }
  const bindingFolder = path.join(packageFolder("@tensorflow/tfjs-node-gpu"), "binding");
  const nodeHeaders = path.join(packageFolder("node-api-headers"), "include");
  const flags = ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=tfjs_binding"];
  const hash = createHash("sha256").update(JSON.stringify([machine, chosen, flags]));
  for (const file of readdirSync(bindingFolder).sort()) hash.update(readFileSync(path.join(bindingFolder, file)));
  return {
    device,
    wheels: chosen,
    bindingFolder,
    nodeHeaders,
    flags,
    key: `${device}-${hash.digest("hex").slice(0, 16)}`,
  };
}
