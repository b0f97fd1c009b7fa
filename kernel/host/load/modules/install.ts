import module from "node:module";
import { type HookOptions, loadLocal, resolveLocal } from "./hooks.ts";

type Next<Context, Result> = (specifier: string, context?: Partial<Context>) => Result;
interface SyncHooks {
  resolve(specifier: string, context: { parentURL?: string }, next: Next<{ parentURL?: string }, object>): object;
  load(url: string, context: object, next: Next<object, object>): object;
}

/** Installs the module hooks: on this thread when Node supports it (22.15, 23.5 and later), otherwise on a separate thread. */
export function installHooks(options: HookOptions): void {
  const { registerHooks } = module as unknown as { registerHooks?: (hooks: SyncHooks) => void };
  if (!registerHooks) {
    module.register(new URL("./thread.js", import.meta.url), { data: options });
    return;
  }
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const local = resolveLocal(specifier, context.parentURL);
      if (local) return { ...local, shortCircuit: true };
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        if (!/^(ERR_)?MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
        for (const parentURL of options.fallbacks) {
          try {
            return nextResolve(specifier, { ...context, parentURL });
          } catch {
            // The next one may have it.
          }
        }
        throw error;
      }
    },
    load(url, context, nextLoad) {
      const local = loadLocal(url, options.inlineMaps);
      return local ? { ...local, shortCircuit: true } : nextLoad(url, context);
    },
  });
}
