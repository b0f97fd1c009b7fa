import { AsyncLocalStorage } from "node:async_hooks";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { begin, extendTensors, hooks, tf } from "../runtime/index.ts";

/** Frees the tensors that were made in it when it ends. */
export interface Scope extends Disposable {
  /** Lets a tensor, or every tensor in arrays and objects, outlive this scope. */
  keep<T>(value: T): T;
}

declare module "@tensorflow/tfjs-core/dist/tensor.js" {
  interface Tensor {
    /** `using x = tf.ones([2])` disposes it at the end of the block. */
    [Symbol.dispose](): void;
  }
}

/** The tensors of a scope, and its open blocks that have not awaited. */
interface Context {
  made: Set<Tensor> | undefined;
  blocks: Set<Tensor>[];
}

const contexts = new AsyncLocalStorage<Context>();
const outside: Context = { made: undefined, blocks: [] };
let open = 0;
let unsubscribe: (() => void) | undefined;

extendTensors(tf, {
  [Symbol.dispose]: {
    value(this: Tensor) {
      this.dispose();
    },
    configurable: true,
    writable: true,
  },
});

/**
 * A scope to the end of the block, `using s = scope()`: it frees the tensors made in the block, except those given to `keep`.
 * The block must not await, because its tensors could not be distinguished from the caller's.
 *
 * Scopes are optional: unreachable tensors are freed anyway. A scope frees them at a known moment.
 *
 * @throws Error at the end of a block that awaited; then nothing is freed
 */
export function scope(): Scope;
/**
 * Runs `fn` and frees every tensor made in it, except those in its result (also in arrays, objects, maps and sets) and those
 * given to `keep`. `fn` may be async: tensors that it makes after an await belong to it, those that other code makes meanwhile
 * do not. Tensors held only by a returned function are freed.
 *
 * @throws Error at the end of an inner `using` block that awaited
 */
export function scope<T>(fn: (scope: Scope) => T): T;
export function scope<T>(fn?: (scope: Scope) => T): T | Scope {
  return fn ? scoped(fn) : block();
}

/** Lets a tensor, or every tensor in arrays and objects, outlive `scope` and `tf.tidy`. It is freed once unreachable. */
export function keep<T>(value: T): T {
  for (const tensor of tensorsIn(value)) tf.keep(tensor);
  return value;
}

function scoped<T>(fn: (scope: Scope) => T): T {
  const made = new Set<Tensor>();
  const outer = contexts.getStore() ?? outside;
  const open = begin(enter, close);
  const end = (result: unknown) => {
    open.end();
    // Tensors that leave this scope belong to the enclosing scope.
    const enclosing = outer.blocks.at(-1) ?? outer.made;
    for (const tensor of tensorsIn(result)) {
      if (made.delete(tensor) && !isKept(tensor)) enclosing?.add(tensor);
    }
    free(made);
  };
  let result: T;
  try {
    result = contexts.run({ made, blocks: [] }, () => fn(handle(() => made, end)));
  } catch (error) {
    end(undefined);
    throw error;
  }
  if (!isPromise(result)) {
    end(result);
    return result;
  }
  open.awaits();
  const settled = result.then(
    (value) => {
      end(value);
      return value;
    },
    (error: unknown) => {
      end(undefined);
      throw error;
    },
  );
  return settled as T;
}

function block(): Scope {
  const context = contexts.getStore() ?? outside;
  const made = new Set<Tensor>();
  let state: "open" | "awaited" | "closed" = "open";
  const { end: leave } = begin(
    () => {
      enter();
      context.blocks.push(made);
    },
    () => {
      const index = context.blocks.lastIndexOf(made);
      if (index >= 0) context.blocks.splice(index, 1);
      close();
    },
  );
  queueMicrotask(() => {
    if (state !== "open") return;
    state = "awaited";
    leave();
  });
  return handle(
    () => made,
    () => {
      const before = state;
      state = "closed";
      if (before === "open") {
        leave();
        free(made);
      } else if (before === "awaited")
        throw new Error(
          "A block with `using s = scope()` must not await; nothing was freed. Write `await scope(async () => { ... })`.",
        );
    },
  );
}

function handle(made: () => Set<Tensor>, end: (result: unknown) => void): Scope {
  return {
    keep(value) {
      for (const tensor of tensorsIn(value)) made().delete(tensor);
      return value;
    },
    [Symbol.dispose]: () => end(undefined),
  };
}

/** Starts observing new tensors when the first scope is opened. */
function enter(): void {
  if (open++ > 0) return;
  unsubscribe = hooks.scope.subscribe("memory", (tensor) => {
    const context = contexts.getStore() ?? outside;
    (context.blocks.at(-1) ?? context.made)?.add(tensor);
  });
}

function close(): void {
  if (--open === 0) unsubscribe?.();
}

function free(made: Iterable<Tensor>): void {
  for (const tensor of made) if (!tensor.isDisposed && !isKept(tensor)) tensor.dispose();
}

const isKept = (tensor: Tensor): boolean => tensor.kept;
const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === "object" && value !== null && typeof (value as Promise<unknown>).then === "function";

function tensorsIn(value: unknown, found = new Set<Tensor>(), seen = new Set<unknown>()): Set<Tensor> {
  if (value instanceof tf.Tensor) found.add(value);
  else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !seen.has(value)) {
    seen.add(value);
    const parts = value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
    for (const part of parts) tensorsIn(part, found, seen);
  }
  return found;
}
