import { require, seed } from "./modules.ts";
import type { Tf } from "./native.ts";

/** Loads tfjs with its WebAssembly backend. Ops may run once `ready` has settled. */
export function loadWasm(): { tf: Tf; ready: Promise<unknown>; version: string } {
  const tfjs = require("@tensorflow/tfjs") as typeof import("@tensorflow/tfjs");
  const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");
  const tf = { ...tfjs } as Tf;
  seed(require.resolve("@tensorflow/tfjs-node-gpu"), tf);
  return { tf, ready: tfjs.setBackend("wasm"), version: wasm.version_wasm };
}
