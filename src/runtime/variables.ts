import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { type WeakHandle, weakHandle } from "./finalization.ts";
import type { FinalizerAddon } from "./finalizer-addon.ts";

type Registry = Record<string, Variable>;

/**
 * A registry that holds variables weakly. tfjs registers every variable under its name permanently, so running a cell that makes
 * a model again would keep the old model. This registry behaves like the plain object that it replaces, except that it has no
 * variables that are otherwise unreachable.
 */
export function weakRegistry(addon: FinalizerAddon | undefined): Registry {
  const variables = new Map<string, WeakHandle<Variable>>();
  // A variable listed by an enumeration must still exist when it is read.
  let shown: Variable | undefined;

  const find = (name: string): Variable | undefined => {
    const weak = variables.get(name);
    if (!weak) return undefined;
    const variable = weak.reach();
    if (!variable) remove(name);
    return variable;
  };
  const remove = (name: string): void => {
    variables.get(name)?.forget();
    variables.delete(name);
  };

  return new Proxy<Registry>(Object.create(null), {
    get(_, name) {
      const variable = typeof name === "string" ? find(name) : undefined;
      shown = undefined;
      return variable;
    },
    has: (_, name) => typeof name === "string" && find(name) !== undefined,
    set(_, name, variable: Variable) {
      remove(String(name));
      variables.set(String(name), weakHandle(addon, variable));
      return true;
    },
    deleteProperty(_, name) {
      remove(String(name));
      return true;
    },
    ownKeys: () => [...variables.keys()].filter((name) => find(name) !== undefined),
    getOwnPropertyDescriptor(_, name) {
      shown = typeof name === "string" ? find(name) : undefined;
      queueMicrotask(() => {
        shown = undefined;
      });
      return shown && { value: shown, enumerable: true, configurable: true, writable: true };
    },
  });
}
