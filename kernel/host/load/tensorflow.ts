/** All names of tfjs resolve to the one engine that the library has loaded. */
import { exec, globalObject, intrinsics } from "../primordials.ts";

type Namespace = Record<string, unknown>;
type Runtime = Pick<typeof import("../../../src/runtime/index.ts"), "tf" | "ready">;

const names = /^@tensorflow\/tfjs(-core|-node|-node-gpu)?$/;
const dependents = /^(danfojs(-node)?|@tensorflow(-models)?\/.+)$/;
const loadedSymbol = Symbol.for("halftone.runtime");
const { get } = Reflect;
let waited = false;
let namespace: Namespace | undefined;

export function isTensorflow(specifier: string): boolean {
  return exec(names, specifier) !== null;
}

/** Packages that load tfjs themselves: the engine must be loaded first. */
export function needsTensorflow(specifier: string): boolean {
  return exec(dependents, specifier) !== null;
}

/** `loadOwn` loads the library of the notebook's folder, if it has one; otherwise the kernel's runtime is loaded. */
export async function tensorflow(loadOwn: () => Promise<unknown>): Promise<Namespace> {
  if (!loadedRuntime()) await loadOwn();
  if (!loadedRuntime()) {
    await import("../../../src/runtime/index.ts");
    const { installShow } = await import("../../../src/tensor/show/show.ts");
    installShow();
  }
  const { tf, ready } = loadedRuntime()!;
  await ready();
  const module = tf as unknown as Namespace;
  namespace ??= "default" in module ? module : intrinsics.Object.create(module, { default: { value: module } });
  return namespace!;
}

/** After an import that has loaded the library: waits until its backend is ready. */
export async function readyRuntime(): Promise<void> {
  const runtime = loadedRuntime();
  if (waited || !runtime) return;
  await runtime.ready();
  waited = true;
}

/** The runtime of the copy of the library that this process has loaded: of the notebook's folder or of the kernel. */
function loadedRuntime(): Runtime | undefined {
  return get(globalObject, loadedSymbol) as Runtime | undefined;
}
