import type { CellAnalysis, Declared } from "./cell-analysis.ts";

export interface Naming {
  /** For each cell, the new names of variables and types that a later cell declares again. */
  renames: Map<string, string>[];
  /** For each cell, imports that an earlier cell has already made identically. */
  repeated: Set<string>[];
  /** The last declaration of each name, which keeps that name. */
  final: Map<string, Declared>;
}

/**
 * Renames declarations of one name by several cells: all but the last get a number. A value and a type may share a name, but
 * two values may not.
 */
export function versions(cells: readonly CellAnalysis[]): Naming {
  const counts = new Map<string, number>();
  const current = new Map<string, Declared>();
  const seen: Map<string, number>[] = [];
  const repeated: Set<string>[] = [];
  for (const { declared, used } of cells) {
    const repeatedImports = new Set<string>();
    for (const [name, own] of declared) {
      const before = current.get(name);
      if (before && sameImport(before, own)) repeatedImports.add(name);
      else if (before && ((before.value && own.value) || (before.type && own.type)))
        counts.set(name, (counts.get(name) ?? 0) + 1);
      const joined = before && counts.get(name) === undefined;
      current.set(name, joined ? { ...own, value: own.value || before.value, type: own.type || before.type } : own);
    }
    repeated.push(repeatedImports);
    seen.push(new Map([...declared.keys(), ...used].map((name) => [name, counts.get(name) ?? 0])));
  }
  const reserved = new Set(cells.flatMap(({ used, declared }) => [...used, ...declared.keys()]));
  const renames = seen.map((names) => {
    const changed = new Map<string, string>();
    for (const [name, version] of names)
      if (current.has(name) && version < (counts.get(name) ?? 0)) changed.set(name, free(name, version + 1, reserved));
    return changed;
  });
  return { renames, repeated, final: current };
}

function sameImport(a: Declared, b: Declared): boolean {
  return a.from !== undefined && a.from === b.from;
}

function free(name: string, number: number, taken: ReadonlySet<string>): string {
  let candidate = `${name}_${number}`;
  while (taken.has(candidate)) candidate += "_";
  return candidate;
}
