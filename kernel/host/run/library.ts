/** How the tensor library, where a cell has loaded it, lets itself be stopped; see `src/runtime/interrupts.ts`. */
interface LibraryInterrupts {
  /** Whether V8 must not be terminated just now. */
  isBusy(): boolean;
  mark(): LibraryMark;
  restore(owners: readonly unknown[], before: LibraryMark | undefined): void;
}

/** What is left open on purpose when a cell begins. */
export interface LibraryMark {
  readonly scopes: readonly unknown[];
  readonly profiling: boolean;
}

const { get } = Reflect;
const loaded = Symbol.for("halftone.runtime");
const global = globalThis;
const nothingOpen: LibraryMark = { scopes: [], profiling: false };

export function libraryInterrupts(): LibraryInterrupts | undefined {
  const runtime = get(global, loaded) as { interrupts?: LibraryInterrupts } | undefined;
  return runtime?.interrupts;
}

export function markLibrary(): LibraryMark {
  return libraryInterrupts()?.mark() ?? nothingOpen;
}

/** Puts back what stopped code has left in the library; all of it when nothing that may go on is on the stack. */
export function restoreLibrary(owner: unknown, before: LibraryMark | undefined): void {
  try {
    libraryInterrupts()?.restore([owner], before);
  } catch {
    // User code has changed a built-in that the library needs.
  }
}
