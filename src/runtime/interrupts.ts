import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type Engine, type EngineScope, engineOf, type Save, type Tfjs } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";
import { aroundStateChanges } from "./tfjs/patch-engine.ts";

/**
 * Lets a host stop running code. Between two ops, an exception may leave this library at any time. Inside an op, and while the
 * library's state or tfjs' is only partly updated, it may not, and the host waits. After the stop, the host calls this file to
 * restore the state that the stopped code has left behind.
 */

/**
 * The interface that a host provides under `Symbol.for("halftone.interrupts")` before this library is loaded. A plain script
 * has none.
 */
interface Host {
  /** The first number is not 0 while code should stop; cheap enough to read before every op. */
  readonly pending: Int32Array;
  /** Throws, or does not return, when the calling code should stop. `atOp` says that the call is made between two ops. */
  stop(atOp: boolean): void;
  /** The owner on whose behalf the calling code runs. */
  owner(): unknown;
}

/** A temporary state that lasts while a function runs. */
export interface Lasting {
  /** Undoes the state, the first time it is called. */
  end(): void;
  /** Declares that the state continues after the code that began it returns to the event loop. */
  awaits(): void;
}

/** The state that is open on purpose when a cell begins. */
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
/**
 * The tensors that each running custom op has saved for its backward pass. Until the op is on the tape, nothing else refers
 * to them.
 */
const openSaves: Tensor[][] = [];

/**
 * Holds interrupts off until `depth` is counted down again; the calling code may be stopped just before. V8 looks for a
 * termination at the start of a function and of a loop, and so not between the question and the count.
 */
function enter(atOp: boolean): void {
  if (pending[0] !== 0 && depth === 0) host!.stop(atOp);
  depth++;
}

/** Runs a function, including its ops, without interrupts. It must be short and must not call the user's code. */
export function uninterrupted<T>(run: () => T): T {
  enter(false);
  try {
    return run();
  } finally {
    depth--;
  }
}

/** Throws when the calling code should stop. For long work that runs no ops, and after an await. */
export function stopIfInterrupted(): void {
  if (pending[0] !== 0 && depth === 0) host!.stop(true);
}

/** Begins a state that `undo` ends. It is undone by `end`, or when the code that would have called `end` was stopped. */
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

/** Registers a function that is called after code was stopped, to restore state that only code on the stack changes. */
export function onStopped(reset: () => void): void {
  resets.push(reset);
}

/** Makes tfjs' methods that change its state uninterruptible, and checks for an interrupt at each op. */
export function watchEngine(tfjs: Tfjs): void {
  engine = engineOf(tfjs);
  hooks.op.subscribe("interrupts", (next) => (op) => {
    enter(true);
    try {
      return next(op);
    } finally {
      depth--;
    }
  });
  hooks.kernel.subscribe("interrupts", (next) => (name, inputs, attrs) => {
    enter(true);
    try {
      return next(name, inputs, attrs);
    } finally {
      depth--;
    }
  });
  aroundStateChanges(tfjs, (method) => {
    return function (...args) {
      enter(false);
      try {
        return method.apply(this, args);
      } finally {
        depth--;
      }
    };
  });
  watchSaves();
}

/** Frees the saved tensors of a custom op that fails or is stopped. */
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

/** For the host: whether the running code must not be interrupted now. */
export const isBusy = (): boolean => depth > 0;

/** For the host: called before a cell begins. */
export function mark(): Mark {
  const state = engine?.state;
  return { scopes: [...(state?.scopeStack ?? [])], profiling: state?.profiling ?? false };
}

/**
 * For the host: called when code was stopped. Undoes the states of these owners. `before` is given when no code of the library is
 * on the stack; then the tape is freed, and scopes opened since `before` are closed and their tensors freed.
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
