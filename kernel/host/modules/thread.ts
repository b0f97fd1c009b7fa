/** Node 20's hooks run on a thread of their own, and may be asynchronous. */
import type { LoadHook, ResolveHook } from "node:module";
import { loadLocal, resolveLocal } from "./hooks.ts";

let kernelUrl = "";

export function initialize(data: { kernelUrl: string }): void {
  kernelUrl = data.kernelUrl;
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const local = resolveLocal(specifier, context.parentURL);
  if (local) return { ...local, shortCircuit: true };
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    try {
      return await nextResolve(specifier, { ...context, parentURL: kernelUrl });
    } catch {
      throw error;
    }
  }
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const local = loadLocal(url);
  return local ? { ...local, shortCircuit: true } : nextLoad(url, context);
};
