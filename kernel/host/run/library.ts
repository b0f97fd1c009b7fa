import { globalObject } from "../primordials.ts";

/** The tensor library's interface for interrupts, present once a cell has loaded it; see `src/runtime/interrupts.ts`. */
interface LibraryInterrupts {
  /** Whether V8 must not be terminated at the moment. */
  isBusy(): boolean;
  mark(): LibraryMark;
  restore(owners: readonly unknown[], before: LibraryMark | undefined): void;
}

/** The scopes and profiling that are open when a cell begins. */
export interface LibraryMark {
  readonly scopes: readonly unknown[];
  readonly profiling: boolean;
}

const { get } = Reflect;
const loaded = Symbol.for("halftone.runtime");
const nothingOpen: LibraryMark = { scopes: [], profiling: false };

export function libraryInterrupts(): LibraryInterrupts | undefined {
  const runtime = get(globalObject, loaded) as { interrupts?: LibraryInterrupts } | undefined;
  return runtime?.interrupts;
}

export function markLibrary(): LibraryMark {
  try {
    return libraryInterrupts()?.mark() ?? nothingOpen;
  } catch {
    // User code has changed a built-in that the library needs.
    return nothingOpen;
  }
}

/**
 * Restores the library's state after code was stopped. With `before`, all of it is restored to that mark, so no code that
 * uses it may be on the stack. Without `before`, only what awaiting code of `owner` left open is ended.
 */
export function restoreLibrary(owner: unknown, before: LibraryMark | undefined): void {
  try {
    libraryInterrupts()?.restore([owner], before);
  } catch {
    // User code has changed a built-in that the library needs.
  }
}
