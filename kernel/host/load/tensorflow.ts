/** All names of tfjs resolve to the one engine that the library has loaded. */
import { exec, intrinsics, isIn } from "../primordials.ts";

type Namespace = Record<string, unknown>;
type Runtime = typeof import("../../../src/runtime/index.ts");

const names = /^@tensorflow\/tfjs(-core|-node|-node-gpu)?$/;
const dependents = /^(danfojs(-node)?|@tensorflow(-models)?\/.+)$/;
const loadedSymbol = Symbol.for("halftone.runtime");
let waited = false;
let namespace: Namespace | undefined;

export function isTensorflow(specifier: string): boolean {
  return exec(names, specifier) !== null;
}

/** Packages that load tfjs themselves: the engine must be loaded first. */
export function needsTensorflow(specifier: string): boolean {
  return exec(dependents, specifier) !== null;
}

export async function tensorflow(): Promise<Namespace> {
  const { tf, ready }: Runtime = await import("../../../src/runtime/index.ts");
  const { installShow } = await import("../../../src/tensor/show/show.ts");
  await ready();
  installShow();
  const module = tf as unknown as Namespace;
  namespace ??= "default" in module ? module : intrinsics.Object.create(module, { default: { value: module } });
  return namespace!;
}

/** After an import that has loaded the library: waits until its backend is ready. */
export async function readyRuntime(): Promise<void> {
  if (waited || !isIn(loadedSymbol, intrinsics.globalThis)) return;
  const { ready }: Runtime = await import("../../../src/runtime/index.ts");
  await ready();
  waited = true;
}
