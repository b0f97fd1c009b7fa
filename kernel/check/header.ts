import type { Facts } from "./facts.ts";
import { isVariable, type NameRecord, type Names } from "./names.ts";

/** Names that no person writes, which carry a name's other meanings between files. */
export const endNameOf = (name: string): string => `${name}$$end`;
export const valueNameOf = (name: string): string => `${name}$$value`;
export const typeNameOf = (name: string): string => `${name}$$type`;

/** The module, and the name in it, under which one meaning of a name is found. */
interface Place {
  module: string;
  name: string;
}

export interface Places {
  value(name: string, record: NameRecord): Place;
  type(name: string, record: NameRecord): Place;
  end(name: string, cell: number): Place;
}

/** A union without the null and undefined that it can no longer be; nothing else of the narrowing passes from cell to cell. */
const keep = "type $$Keep<D, E> = D extends null | undefined ? (D extends E ? D : never) : D;";
/** An empty list that nothing was put in yet may hold anything. */
const settle = "type $$Settle<E> = 0 extends 1 & E ? any : E extends never[] ? any[] : E;";

/**
 * One line that gives a cell the names that it uses, as earlier cells left them. A name that the cell only reads is an
 * import. A variable that it assigns, or whose narrowing must be kept, is declared anew with the old one's type, since
 * an import can be neither.
 */
export function header(facts: Facts, names: Names, places: Places, wanted: Iterable<string>): string {
  const imports = new Map<string, string[]>();
  const statements = new Set<string>();
  const add = (place: Place, local: string, onlyType: boolean): void => {
    const list = imports.get(place.module) ?? [];
    const bare = place.name === local ? local : `${place.name} as ${local}`;
    list.push(onlyType ? `type ${bare}` : bare);
    imports.set(place.module, list);
  };
  for (const name of wanted) {
    const record = names.get(name);
    if (!record) continue;
    const own = facts.declared.get(name);
    const value = record.value && !own?.value ? record.value : undefined;
    const type = record.type && !own?.type ? record.type : undefined;
    if (value) {
      const place = places.value(name, record);
      const whole = value.cell === (record.type?.cell ?? value.cell);
      const variable = isVariable(value.kind);
      const anew =
        (variable && (facts.assigned.has(name) || record.narrowedBy !== undefined)) || !whole || own !== undefined;
      if (anew) {
        const end = record.narrowedBy === undefined ? undefined : places.end(name, record.narrowedBy);
        for (const each of declareAnew(name, value, place, end)) statements.add(each);
        if (type) add(places.type(name, record), name, true);
      } else add(place, name, false);
    } else if (type) add(places.type(name, record), name, own !== undefined || record.value !== undefined);
  }
  const lines = [...imports].map(([module, list]) => `import { ${list.join(", ")} } from ${JSON.stringify(module)};`);
  return [...lines, ...statements].join(" ");
}

function declareAnew(
  name: string,
  { kind, evolving }: NonNullable<NameRecord["value"]>,
  place: Place,
  end: Place | undefined,
): string[] {
  const constant = kind !== "let" && kind !== "var";
  const declared = `typeof import(${JSON.stringify(place.module)}).${place.name}`;
  const after = end && `import(${JSON.stringify(end.module)}).${end.name}`;
  if (evolving && after) {
    if (constant) return [settle, `declare const ${name}: $$Settle<${after}>;`];
    return [settle, `let ${name}; ${name} = null! as $$Settle<${after}>;`];
  }
  const keyword = constant ? "const" : "let";
  if (!after) return [`declare ${keyword} ${name}: ${declared};`];
  return [keep, `${keyword} ${name}: ${declared} = null! as $$Keep<${declared}, ${after}>;`];
}

/** What a cell's file exports besides what the cell itself does. */
export function footer(facts: Facts, names: Names): string {
  const exported = [...facts.declared.keys()].filter((name) => !facts.exported.has(name));
  const ends: string[] = [];
  for (const name of facts.touched) {
    const own = facts.declared.get(name);
    const kind = own?.value ? own.kind : names.get(name)?.value?.kind;
    if (kind && isVariable(kind)) ends.push(`export type ${endNameOf(name)} = typeof ${name};`);
  }
  return `export { ${exported.join(", ")} }; ${ends.join(" ")}`;
}
