import { AsyncLocalStorage } from "node:async_hooks";

const paths = new AsyncLocalStorage<string>();
let observers = 0;

/**
 * Runs a part of a model under its name: a probe counts its ops, and those of its gradients, as this layer's. Names
 * nest: `layer("encoder", () => layer("attention", f))` is `encoder/attention`. `fn` may be async. Without a probe
 * it only calls `fn`.
 */
export function profileScope<T>(name: string, fn: () => T): T {
  if (observers === 0) return fn();
  const outer = paths.getStore();
  return paths.run(outer ? `${outer}/${name}` : name, fn);
}

/** The layer that runs now, such as `encoder/attention`; empty outside of any. */
export const currentProfileScope = (): string => paths.getStore() ?? "";

/** Runs something on behalf of a layer that has run before. */
export const withinProfileScope = <T>(path: string, fn: () => T): T => paths.run(path, fn);

/** Lets layers be known from now on; returns the way to stop. */
export function observeProfileScopes(): () => void {
  observers++;
  return () => {
    observers--;
  };
}
