import type { FinalizationQueue, FinalizerAddon } from "./finalizer-addon.ts";

/** Finds an object again as long as it lives, without keeping it alive. */
export interface WeakHandle<T extends object> {
  reach(): T | undefined;
  forget(): void;
}

/** What the garbage collector tells: within a synchronous loop with the addon, only when the event loop turns without it. */
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

/** A weak reference that a look through it does not strengthen; without the addon, one that lasts until the event loop turns. */
export function weakHandle<T extends object>(addon: FinalizerAddon | undefined, object: T): WeakHandle<T> {
  if (!addon) {
    const reference = new WeakRef(object);
    return { reach: () => reference.deref(), forget: () => {} };
  }
  const number = addon.weaken(object);
  return { reach: () => addon.reach(number) as T | undefined, forget: () => addon.forget(number) };
}
