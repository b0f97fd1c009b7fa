import type { Device } from "./machine.ts";

/** What computes, and why it is that. Recorded with every run. */
export interface RuntimeInfo {
  backend: "tensorflow" | "wasm";
  /** Version of TensorFlow, or of the tfjs WebAssembly backend. */
  version: string;
  device: Device;
  /** The GPU's name, where one was found. */
  gpu?: string;
  /** Threads that one op may use. */
  threads: number;
  /** The TensorFlow library, where it is used. */
  library?: { path: string; sha256: string };
  /** Why this backend and device were taken, as a sentence. */
  reason: string;
}
