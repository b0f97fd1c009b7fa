import { AsyncLocalStorage } from "node:async_hooks";

const paths = new AsyncLocalStorage<string>();
let observers = 0;

/**
 * Runs a part of a model under its name. A probe attributes its ops, and those of its gradients, to this layer. Names
 * nest: `layer("encoder", () => layer("attention", f))` is `encoder/attention`. `fn` may be async. Without a probe
 * it just calls `fn`.
 */
export function profileScope<T>(name: string, fn: () => T): T {
  if (observers === 0) return fn();
  const outer = paths.getStore();
  return paths.run(outer ? `${outer}/${name}` : name, fn);
}

/** The layer that is running, such as `encoder/attention`; empty outside of layers. */
export const currentProfileScope = (): string => paths.getStore() ?? "";

/** Runs a function on behalf of a layer that ran before. */
export const withinProfileScope = <T>(path: string, fn: () => T): T => paths.run(path, fn);

/** Are layers being recorded? */
export const isObservingProfile = (): boolean => observers > 0;

/** Starts recording layers. Returns a function that stops it. */
export function observeProfileScopes(): () => void {
  observers++;
  return () => {
    observers--;
  };
}
