import type { FinalizationQueue, FinalizerAddon } from "./finalizer-addon.ts";

/** A reference that finds an object while it is alive, without keeping it alive. */
export interface WeakHandle<T extends object> {
  reach(): T | undefined;
  forget(): void;
}

/**
 * The objects that the garbage collector has collected. With the addon they are known inside a synchronous loop, without it
 * only after a turn of the event loop.
 */
export function finalizationQueue(addon: FinalizerAddon | undefined): FinalizationQueue {
  if (addon) return addon;
  const waiting = new Int32Array(1);
  let dead: number[] = [];
  const registry = new FinalizationRegistry<number>((key) => {
    waiting[0] = dead.push(key);
  });
  return {
    waiting,
    watch: (object, key) => registry.register(object, key),
    take() {
      const taken = dead;
      dead = [];
      waiting[0] = 0;
      return taken;
    },
  };
}

/**
 * A weak reference whose use does not keep the object alive. Without the addon, a use keeps it alive until the event loop
 * turns.
 */
export function weakHandle<T extends object>(addon: FinalizerAddon | undefined, object: T): WeakHandle<T> {
  if (!addon) {
    const reference = new WeakRef(object);
    return { reach: () => reference.deref(), forget: () => {} };
  }
  const number = addon.weaken(object);
  return { reach: () => addon.reach(number) as T | undefined, forget: () => addon.forget(number) };
}
