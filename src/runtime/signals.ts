import { loadFinalizer } from "./finalizer-build.ts";
import { onStopped } from "./interrupts.ts";

/** Ops that may use oneDNN's matrix product; a captured step has a name that begins with "Captured". */
const multiplies = /MatMul|Conv|Einsum|^Captured/;

/**
 * Runs an op, with signals blocked if it may use oneDNN's matrix product. While oneDNN multiplies by a transposed matrix, its
 * stack pointer points into the heap (jit_avx_gemm_f32), and the kernel writes a signal's frame there. Frequent signals, for
 * instance a profiler's SIGPROF, damage the heap or make results NaN. Signals that arrive in the meantime go to another thread
 * or are delivered after the op. Without the addon, signals are not blocked.
 */
export function guardedFromSignals<T>(op: string, run: () => T): T {
  return multiplies.test(op) ? withoutSignals(run) : run();
}

/** Runs a function with signals blocked in this thread. In threads that it starts they stay blocked. */
export function withoutSignals<T>(run: () => T): T {
  if (!addon) return run();
  // If signals were blocked twice, the addon would lose the original signal mask.
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
