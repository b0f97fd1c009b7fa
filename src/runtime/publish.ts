import { nativeMemory } from "./allocation-tracker.ts";
import { isBusy, mark, restore } from "./interrupts.ts";
import { runtimeInfo } from "./load.ts";

/**
 * Lets a host see that the library was loaded, on what it computes and what it holds, without loading it itself
 * (`halftone run` writes it into the notebook's metadata), and stop code that computes.
 */
Object.defineProperty(globalThis, Symbol.for("halftone.runtime"), {
  value: { runtimeInfo, nativeMemory, interrupts: { isBusy, mark, restore } },
  configurable: true,
});
