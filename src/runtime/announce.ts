import { nativeMemory } from "./ledger.ts";
import { runtimeInfo } from "./load.ts";

/**
 * Lets a host see that the library was loaded, on what it computes and what it holds, without loading it itself
 * (`halftone run` writes it into the notebook's metadata).
 */
Object.defineProperty(globalThis, Symbol.for("halftone.runtime"), {
  value: { runtimeInfo, nativeMemory },
  configurable: true,
});
