import type { CellAnalysis } from "./cell-analysis.ts";
import { isVariable, type NameRecord, type Names } from "./names.ts";
import { historyModule } from "./paths.ts";

/** A reserved name that carries a variable's narrowed type from one file to another. */
export const endNameOf = (name: string): string => `${name}$$end`;
/** How files call a module that cells import, by its number. */
export const moduleNameOf = (index: number): string => `$$m${index}`;
/** Has the parser take for an await what is one at the top of a file, and may be a call elsewhere. */
export const awaitedName = "$$awaited";

/** What gives a cell the names that it uses. */
export interface Header {
  /** What it imports of the history: files of cells, modules. */
  from: Set<string>;
  statements: string;
}

/**
 * The first line of a cell's file. The history is always imported, once: the list of modules stays as it is. It ends in an
 * empty statement: what is completed right after an alias is taken for a part of it.
 */
export function headerText({ from, statements }: Header): string {
  return `import { ${[...from].join(", ")} } from ${JSON.stringify(historyModule)}; ${statements};`;
}

/** A union without the null and undefined that it can no longer be; nothing else of the narrowing passes from cell to cell. */
const keep = "type $$Keep<D, E> = D extends null | undefined ? (D extends E ? D : never) : D;";
/** An empty list that nothing was put in yet may hold anything. */
const settle = "type $$Settle<E> = 0 extends 1 & E ? any : E extends never[] ? any[] : E;";

/**
 * Gives a cell the names that it uses, as earlier cells left them. A name that the cell only reads is an alias. A variable
 * that it assigns, or whose narrowing must be kept, is declared anew with the old one's type, since an alias can be
 * neither. A type beside a value of another cell is an alias too: TypeScript says that the two conflict, in a line that
 * nobody reads, and takes each for what it is. `pathOf`: where a cell's names are found.
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
      const whole = value.cell === (record.type?.cell ?? value.cell);
      const variable = isVariable(value.kind);
      const anew =
        (variable && (facts.assigned.has(name) || record.narrowedBy !== undefined)) ||
        !whole ||
        declaration !== undefined;
      if (anew) {
        const end = record.narrowedBy === undefined ? undefined : place(record.narrowedBy, endNameOf(name));
        for (const each of declareAnew(name, value, place(value.cell, name), end)) statements.add(each);
        if (type) alias(type.cell, name);
      } else alias(value.cell, name);
    } else if (type) alias(type.cell, name);
  }
  return { from, cells, statements: [...statements].join(" ") };
}

/** What a path begins with: an export of the history. */
export function rootOf(path: string): string {
  return path.split(".", 1)[0]!;
}

function declareAnew(
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

/** What a cell's file exports besides what the cell itself does. */
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
