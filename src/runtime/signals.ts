import { loadFinalizer } from "./finalizer-build.ts";
import { onStopped } from "./interrupts.ts";

/** Ops that oneDNN's matrix product may compute. */
const multiplies = /MatMul|Conv|Einsum/;

/**
 * Runs an op with signals held back where one could do harm: while oneDNN multiplies by a transposed matrix, its stack
 * pointer points into the heap (jit_avx_gemm_f32), and the kernel writes a signal's frame there. A thousand SIGWINCH a
 * second, or a profiler's SIGPROF, ended a training within a second, by a damaged heap or a loss of NaN. What arrives
 * meanwhile goes to another thread or is delivered after the op. Costs 1 us a product; without the addon nothing is held back.
 */
export function guardedFromSignals<T>(op: string, run: () => T): T {
  return multiplies.test(op) ? withoutSignals(run) : run();
}

/** Runs a function with signals held back from this thread, and for good from threads that it starts. */
export function withoutSignals<T>(run: () => T): T {
  if (!addon) return run();
  // Held twice, the addon would forget what was let through before.
  if (holding) return run();
  hold(true);
  try {
    return run();
  } finally {
    hold(false);
  }
}

let holding = false;
function hold(on: boolean): void {
  holding = on;
  addon?.hold(on);
}
onStopped(() => {
  if (holding) hold(false);
});

const loaded = loadFinalizer();
const addon = "addon" in loaded ? loaded.addon : undefined;
