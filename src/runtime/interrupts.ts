import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type Engine, type EngineScope, engineOf, type Save, type Tfjs } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";
import { aroundStateChanges } from "./tfjs/patch-engine.ts";

/**
 * How a host stops code that computes. Between two ops this library can be left by an exception at any time. Within an op,
 * and wherever its own state or tfjs' is half changed, it cannot: there the host waits. What code that never ran to its
 * end has left behind, the host asks this file to put back.
 */

/** What a host offers before this library is loaded, under `Symbol.for("halftone.interrupts")`. A plain script has none. */
interface Host {
  /** The first number is not 0 while some code shall stop; cheap enough to look at before every op. */
  readonly pending: Int32Array;
  /** Throws, or does not return, when the code that calls it shall stop. `atOp`: an error is welcome here. */
  stop(atOp: boolean): void;
  /** On whose behalf the code that calls this runs. */
  owner(): unknown;
}

/** What lasts while a function runs. */
export interface Lasting {
  /** Undoes it, the first time it is called. */
  end(): void;
  /** It goes on when the code that began it returns to the event loop. */
  awaits(): void;
}

/** What is left open on purpose when a cell begins. */
export interface Mark {
  readonly scopes: readonly EngineScope[];
  readonly profiling: boolean;
}

const host = Reflect.get(globalThis, Symbol.for("halftone.interrupts")) as Host | undefined;
const pending = host?.pending ?? new Int32Array(1);
let depth = 0;
let engine: Engine | undefined;
const lasting = new Set<Lasting & { owner: unknown; isAwaiting: boolean }>();
const resets: (() => void)[] = [];
/** What each custom op that runs has saved for its backward pass: until it stands on the tape, nothing else knows of it. */
const openSaves: Tensor[][] = [];

/** Runs a function to its end, its ops included: no interrupt falls into it. It must be short, and call none of the person's code. */
export function uninterrupted<T>(run: () => T): T {
  if (pending[0] !== 0 && depth === 0) host!.stop(false);
  depth++;
  try {
    return run();
  } finally {
    depth--;
  }
}

/** Throws when the code that calls it shall stop. For long work that runs no ops, and after an await. */
export function stopIfInterrupted(): void {
  if (pending[0] !== 0 && depth === 0) host!.stop(true);
}

/** Begins something that `undo` ends: by `end`, or when the code that would have called that was stopped for good. */
export function begin(start: () => void, undo: () => void): Lasting {
  const entry = {
    owner: host?.owner(),
    isAwaiting: false,
    end: () =>
      uninterrupted(() => {
        if (lasting.delete(entry)) undo();
      }),
    awaits: () => {
      entry.isAwaiting = true;
    },
  };
  uninterrupted(() => {
    start();
    lasting.add(entry);
  });
  return entry;
}

/** Calls back when code was stopped for good, to put back what only code on the stack may have changed. */
export function onStopped(reset: () => void): void {
  resets.push(reset);
}

/** Makes the methods of tfjs that change its state whole, and each op a place where an interrupt is seen. */
export function watchEngine(tfjs: Tfjs): void {
  engine = engineOf(tfjs);
  hooks.op.subscribe("interrupts", (next) => (op) => {
    if (pending[0] !== 0 && depth === 0) host!.stop(true);
    depth++;
    try {
      return next(op);
    } finally {
      depth--;
    }
  });
  hooks.kernel.subscribe("interrupts", (next) => (name, inputs, attrs) => {
    if (pending[0] !== 0 && depth === 0) host!.stop(true);
    depth++;
    try {
      return next(name, inputs, attrs);
    } finally {
      depth--;
    }
  });
  aroundStateChanges(tfjs, (method) => {
    return function (...args) {
      if (pending[0] !== 0 && depth === 0) host!.stop(false);
      depth++;
      try {
        return method.apply(this, args);
      } finally {
        depth--;
      }
    };
  });
  watchSaves();
}

/** An op with its own gradient that fails, or is stopped for good, frees what it saved. */
function watchSaves(): void {
  let saving: Tensor[] | undefined;
  hooks.kept.subscribe("interrupts", (tensor) => {
    saving?.push(tensor);
  });
  hooks.recorded.subscribe("interrupts", (next) => (call) => {
    const { forwardFunc } = call;
    if (!forwardFunc) return next(call);
    const saved: Tensor[] = [];
    const saveWhole = (save: Save, tensors: Tensor[]) =>
      uninterrupted(() => {
        saving = saved;
        try {
          save(tensors);
        } finally {
          saving = undefined;
        }
      });
    openSaves.push(saved);
    let isDone = false;
    try {
      const made = next({
        ...call,
        forwardFunc: (backend, save) => forwardFunc(backend, (tensors) => saveWhole(save, tensors)),
      });
      isDone = true;
      return made;
    } finally {
      openSaves.pop();
      if (!isDone) for (const tensor of saved) tensor.dispose();
    }
  });
}

/** For the host: whether an interrupt would fall into what must not be cut short. */
export const isBusy = (): boolean => depth > 0;

/** For the host, before a cell begins. */
export function mark(): Mark {
  const state = engine?.state;
  return { scopes: [...(state?.scopeStack ?? [])], profiling: state?.profiling ?? false };
}

/**
 * For the host, when code was stopped: ends what lasts on behalf of these owners. With `before`, nothing of the library is
 * on the stack: the tape is freed, and scopes that are not from before are closed with all that was made in them.
 */
export function restore(owners: readonly unknown[], before: Mark | undefined): void {
  if (before) depth = 0;
  for (const entry of [...lasting].reverse())
    if (entry.isAwaiting ? owners.includes(entry.owner) : before !== undefined) entry.end();
  if (!before) return;
  for (const reset of resets) reset();
  if (!engine) return;
  const { state } = engine;
  for (const node of state.activeTape ?? []) for (const tensor of node.saved) tensor.dispose();
  for (const saved of openSaves.splice(0)) for (const tensor of saved) tensor.dispose();
  const scopes = state.scopeStack.filter((scope) => before.scopes.includes(scope));
  const closed = state.scopeStack.filter((scope) => !before.scopes.includes(scope));
  Object.assign(state, { activeTape: null, gradientDepth: 0, kernelDepth: 0, profiling: before.profiling });
  Object.assign(state, { scopeStack: scopes, activeScope: scopes.at(-1) ?? null, numDataMovesStack: [] });
  for (const { track } of closed) for (const tensor of track) if (!tensor.kept && !tensor.isDisposed) tensor.dispose();
}
