/** The module hooks for Node 20, which run on a separate thread and may be asynchronous. */
import type { LoadHook, ResolveHook } from "node:module";
import { parentOf, requireInside } from "../packages.ts";
import { type HookOptions, loadLocal, resolveLocal } from "./hooks.ts";

let packagesUrl: HookOptions["packagesUrl"];
let fallbacks: HookOptions["fallbacks"] = [];
let inlineMaps = false;

export function initialize(options: HookOptions): void {
  ({ packagesUrl, fallbacks, inlineMaps } = options);
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const local = resolveLocal(specifier, context.parentURL);
  if (local) return { ...local, shortCircuit: true };
  try {
    const parentURL = packagesUrl && parentOf(specifier, context.parentURL, packagesUrl);
    if (!packagesUrl || parentURL !== packagesUrl) return await nextResolve(specifier, context);
    const found = await nextResolve(specifier, { ...context, parentURL });
    requireInside(found.url, packagesUrl);
    return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    for (const parentURL of fallbacks) {
      try {
        return await nextResolve(specifier, { ...context, parentURL });
      } catch {
        // The next one may have it.
      }
    }
    throw error;
  }
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const local = loadLocal(url, inlineMaps);
  return local ? { ...local, shortCircuit: true } : nextLoad(url, context);
};
