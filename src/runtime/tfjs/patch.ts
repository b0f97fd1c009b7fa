import { undoBy } from "./undo.ts";

const originals = new Map<string, unknown>();

/** Records an original function of tfjs that is replaced. A function that was itself a replacement is not recorded. */
export function recordOriginal(title: string, original: unknown): void {
  if (!originals.has(title)) originals.set(title, original);
}

/**
 * Replaces a method of tfjs by a function of the original. A method is patched only once; other code that changes or observes it
 * subscribes to its hook. test/runtime/tfjs.test.ts holds a fingerprint of each original by its name.
 */
export function patch<Owner extends object, Name extends keyof Owner & string>(
  owner: Owner,
  ownerName: string,
  name: Name,
  replace: (original: Owner[Name]) => Owner[Name],
): void {
  const title = `${ownerName}.${name}`;
  if (originals.has(title))
    throw new Error(`${title} is patched already: subscribe to its hook in runtime/tfjs/hooks.ts`);
  const original = owner[name];
  if (typeof original !== "function") throw new Error(`${title} is not a function in this version of tfjs`);
  recordOriginal(title, original);
  const before = Object.getOwnPropertyDescriptor(owner, name);
  undoBy(() => {
    originals.delete(title);
    if (before) Object.defineProperty(owner, name, before);
    else delete owner[name];
  });
  Object.defineProperty(owner, name, { value: replace(original), configurable: true, writable: true });
}

/** The source text of every function of tfjs that is patched in this process, by its name. */
export const patchedSources = (): Record<string, string> =>
  Object.fromEntries([...originals].map(([title, original]) => [title, String(original)]));

/** Adds properties to every tensor of the process. Throws for a property that tfjs defines itself. */
export function extendTensors(tfjs: { Tensor: { prototype: object } }, properties: PropertyDescriptorMap): void {
  const { prototype } = tfjs.Tensor;
  for (const key of Reflect.ownKeys(properties))
    if (key in prototype) throw new Error(`tensors already have the property ${String(key)} in this version of tfjs`);
  Object.defineProperties(prototype, properties);
}
