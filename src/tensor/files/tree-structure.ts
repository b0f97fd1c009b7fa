// How the leaves of a file make a tree again.

/** What the names of the leaves do not tell of the tree. */
export interface TreeStructure {
  /** The keys that lead to a leaf, by its name, where they are not the name's parts between dots. */
  keys: Record<string, string[]>;
  /** The keys that lead to objects whose own keys are 0, 1, 2 and so on, as those of a list are. */
  objects: string[][];
}

/** Of a tree whose names tell all. */
export const plainStructure: TreeStructure = { keys: {}, objects: [] };

const structures = new WeakMap<object, TreeStructure>();

/** Remembers the structure of the tree that a record was read from, for `unflatten` and `save`. */
export function withStructure<T extends object>(flat: T, structure: TreeStructure): T {
  structures.set(flat, structure);
  return flat;
}

/** The structure of the tree that a record was read from; undefined for any other value. */
export const structureOf = (flat: unknown): TreeStructure | undefined =>
  typeof flat === "object" && flat !== null ? structures.get(flat) : undefined;

/** Whether the keys are 0, 1, 2 and so on, in any order. */
export function areListKeys(keys: Iterable<string>): boolean {
  const all = new Set(keys);
  return [...all.keys()].every((_, i) => all.has(`${i}`));
}
