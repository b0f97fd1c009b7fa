import type { CellAnalysis } from "./cell-analysis.ts";
import { isVariable, type NameRecord, type Names } from "./names.ts";
import { historyModule } from "./paths.ts";

/** The reserved name under which a file exports a variable's narrowed type. */
export const endNameOf = (name: string): string => `${name}$$end`;
/** The name by which files refer to an imported module, from its number. */
export const moduleNameOf = (index: number): string => `$$m${index}`;
/** Wraps awaited expressions, because in a namespace the parser may read `await (x)` as a call. */
export const awaitedName = "$$awaited";

/** Statements before a cell that bring in the names it uses. */
export interface Header {
  /** The names that it imports from the history: files of cells, and modules. */
  from: Set<string>;
  statements: string;
}

/**
 * The first line of a cell's file. It always imports the history exactly once, so that the file's list of imported modules
 * does not change. It ends in an empty statement, because a completion directly after an alias would count as part of it.
 */
export function headerText({ from, statements }: Header): string {
  return `import { ${[...from].join(", ")} } from ${JSON.stringify(historyModule)}; ${statements};`;
}

/** Removes null and undefined from a union where narrowing excluded them. Later cells keep no other narrowing. */
const keep = "type $$Keep<D, E> = D extends null | undefined ? (D extends E ? D : never) : D;";
/** Turns the type of an array that is still empty into `any[]`. */
const settle = "type $$Settle<E> = 0 extends 1 & E ? any : E extends never[] ? any[] : E;";

/**
 * Makes the header that brings in the names a cell uses, with the types that earlier cells left. A name that the cell only
 * reads becomes an alias. A variable that it assigns, or whose narrowing must be kept, is declared again with the same type,
 * because an alias can be neither assigned nor narrowed. A type whose value comes from another cell becomes an alias too.
 * TypeScript reports a conflict between the two, but in the header, whose errors are not shown, and resolves both.
 *
 * @param pathOf returns the path to a cell's names
 */
export function header(
  facts: CellAnalysis,
  names: Names,
  pathOf: (cell: number) => string,
  wanted: Iterable<string>,
): Header & { cells: Set<number> } {
  const from = new Set<string>();
  const cells = new Set<number>();
  const statements = new Set<string>();
  const place = (cell: number, name: string): string => {
    const path = pathOf(cell);
    cells.add(cell);
    from.add(rootOf(path));
    return `${path}.${name}`;
  };
  const alias = (cell: number, name: string) => statements.add(`import ${name} = ${place(cell, name)};`);
  for (const name of wanted) {
    const record = names.get(name);
    if (!record) continue;
    const declaration = facts.declared.get(name);
    const value = record.value && !declaration?.value ? record.value : undefined;
    const type = record.type && !declaration?.type ? record.type : undefined;
    if (value) {
      const isFromOneCell = value.cell === (record.type?.cell ?? value.cell);
      const variable = isVariable(value.kind);
      const redeclares =
        (variable && (facts.assigned.has(name) || record.narrowedBy !== undefined)) ||
        !isFromOneCell ||
        declaration !== undefined;
      if (redeclares) {
        const end = record.narrowedBy === undefined ? undefined : place(record.narrowedBy, endNameOf(name));
        for (const each of redeclare(name, value, place(value.cell, name), end)) statements.add(each);
        if (type) alias(type.cell, name);
      } else alias(value.cell, name);
    } else if (type) alias(type.cell, name);
  }
  return { from, cells, statements: [...statements].join(" ") };
}

/** The first part of a path, which is an export of the history. */
export function rootOf(path: string): string {
  return path.split(".", 1)[0]!;
}

function redeclare(
  name: string,
  { kind, evolving }: NonNullable<NameRecord["value"]>,
  place: string,
  end: string | undefined,
): string[] {
  const constant = kind !== "let" && kind !== "var";
  const declared = `typeof ${place}`;
  if (evolving && end) {
    if (constant) return [settle, `declare const ${name}: $$Settle<${end}>;`];
    return [settle, `let ${name}; ${name} = null! as $$Settle<${end}>;`];
  }
  const keyword = constant ? "const" : "let";
  if (!end) return [`declare ${keyword} ${name}: ${declared};`];
  return [keep, `${keyword} ${name}: ${declared} = null! as $$Keep<${declared}, ${end}>;`];
}

/** The exports of a cell's file, except those that the cell itself writes. */
export function footer(facts: CellAnalysis, names: Names): string {
  const exported = [...facts.declared.keys()].filter((name) => !facts.exported.has(name));
  const ends: string[] = [];
  for (const name of facts.touched) {
    const declaration = facts.declared.get(name);
    const kind = declaration?.value ? declaration.kind : names.get(name)?.value?.kind;
    if (kind && isVariable(kind)) ends.push(`export type ${endNameOf(name)} = typeof ${name};`);
  }
  return `export { ${exported.join(", ")} }; ${ends.join(" ")}`;
}
