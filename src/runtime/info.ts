import type { Device } from "./machine.ts";

/** The backend that runs ops, and why it was chosen. Recorded with every run. */
export interface RuntimeInfo {
  backend: "tensorflow" | "wasm";
  /** Version of TensorFlow, or of the tfjs WebAssembly backend. */
  version: string;
  device: Device;
  /** The GPU's name, if one was found. */
  gpu?: string;
  /** Threads that one op may use. */
  threads: number;
  /**
   * What computes norms, attention, dropout, activations, losses and updates of optimizers: one kernel of Halftone's own each
   * ("fused"), or several of the backend's ("separate").
   */
  kernels: "fused" | "separate";
  /** Whether `train` and `compile` compute a repeated step as one function of TensorFlow. */
  capture: boolean;
  /** The TensorFlow library, if it is used. */
  library?: { path: string; sha256: string };
  /** Why this backend and device were chosen, as a sentence. */
  reason: string;
}
