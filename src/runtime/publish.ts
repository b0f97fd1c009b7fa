import { nativeMemory, processPeak } from "./allocation-tracker.ts";
import { isBusy, mark, restore } from "./interrupts.ts";
import { ready, runtimeInfo, tf } from "./load.ts";

/**
 * Tells a host that the library was loaded, with which tfjs and backend and how much memory it uses, and lets the host stop running
 * code. The host need not load the library itself (`halftone run` writes the information into the notebook's metadata).
 */
Object.defineProperty(globalThis, Symbol.for("halftone.runtime"), {
  value: { tf, ready, runtimeInfo, nativeMemory, processPeak, interrupts: { isBusy, mark, restore } },
  configurable: true,
});
