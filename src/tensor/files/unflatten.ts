import type { SavedLeaf } from "./tree-leaves.ts";
import { areListKeys, plainStructure, structureOf } from "./tree-structure.ts";

/**
 * The tree of a flat record such as `load` gives, with tensors of any shape. Of a record that `load` read from a safetensors file of
 * `save` it is the tree that was saved. Elsewhere names are divided at dots, and objects whose keys are 0, 1, 2 and so on become
 * arrays.
 *
 * @throws Error when a leaf's path continues another leaf's
 */
export function unflatten(flat: Readonly<Record<string, SavedLeaf>>): unknown {
  type Branch = Map<string, Branch | SavedLeaf>;
  const { keys: known, objects } = structureOf(flat) ?? plainStructure;
  const objectPaths = new Set(objects.map((path) => JSON.stringify(path)));
  const root: Branch = new Map();
  for (const [name, leaf] of Object.entries(flat)) {
    const keys = Object.hasOwn(known, name) ? known[name]! : name.split(".");
    // The tree is this leaf.
    if (keys.length === 0) return leaf;
    let branch = root;
    for (const key of keys.slice(0, -1)) {
      const next = branch.get(key) ?? new Map();
      if (!(next instanceof Map)) throw new Error(`unflatten: ${name} lies inside another leaf`);
      branch.set(key, next);
      branch = next;
    }
    branch.set(keys.at(-1)!, leaf);
  }
  const grown = (branch: Branch | SavedLeaf, path: readonly string[]): unknown => {
    if (!(branch instanceof Map)) return branch;
    const children = [...branch].map(([key, child]) => [key, grown(child, [...path, key])] as const);
    const object = Object.fromEntries(children);
    if (!areListKeys(branch.keys()) || objectPaths.has(JSON.stringify(path))) return object;
    return children.map((_, i) => object[i]);
  };
  return grown(root, []);
}
