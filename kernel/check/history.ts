import type { Facts } from "./facts.ts";
import { withTypes } from "./freeze.ts";
import { endNameOf, footer, header, type Places, typeNameOf, valueNameOf } from "./header.ts";
import { Names } from "./names.ts";
import { cellModule, historyModule } from "./paths.ts";
import { positionIn } from "./positions.ts";
import type { Position } from "./protocol.ts";

/** A cell that began to run, as a file of its own. */
export interface PastCell {
  id: number;
  module: string;
  /** The front end's own name for the cell, the same at every run. */
  key: string | undefined;
  text: string;
  facts: Facts;
  /** What stands in its file: the cell itself, between what gives it names and what exports its own. */
  parts: { before: string; source: string; after: string };
  /** Where its file has the names that it declares. */
  places: Map<string, Position>;
  /** The earlier cells that it takes names from. */
  from: Set<number>;
}

/** The text of a cell's file. `lines` stand before the cell's own first line. */
export interface CellText {
  text: string;
  lines: number;
}

/** Where each variable stands, in a file of its own: a line from its start, then a dot. */
export interface NamesFile {
  revision: number;
  text: string;
  lines: ReadonlyMap<string, number>;
}

/**
 * The notebook as TypeScript sees it. Every cell that ran is a file that exports what it declared and imports what it
 * uses from the cells that declared it then, so it never changes and is never checked again. The history is one more
 * file: it exports each name from the cell that declared it last. The cell to be checked imports from the history alone,
 * so its list of modules stays the same from one cell to the next, and the server can go on with the program it has.
 */
export class History {
  readonly names = new Names();
  readonly #cells = new Map<number, PastCell>();
  /** Files of cells that were forgotten, for cells to come. */
  readonly #free = new Set<string>();
  #lastId = 0;
  #files = 0;
  #namesFile: NamesFile | undefined;
  /** Grows with every change. */
  revision = 0;

  /** Every cell's file and its text. One that is free is empty, but stays part of the program: the server is at its best with that. */
  *files(): IterableIterator<[module: string, text: string]> {
    for (const module of this.#free) yield [module, "export {};\n"];
    for (const { module, text } of this.#cells.values()) yield [module, text];
  }

  /** Where a variable was declared last. */
  declaration(name: string): { module: string; position: Position } | undefined {
    const cell = this.#cells.get(this.names.get(name)?.value?.cell ?? -1);
    const position = cell?.places.get(name);
    return cell && position && { module: cell.module, position };
  }

  clear(): void {
    this.revision++;
    this.names.clear();
    for (const { module } of this.#cells.values()) this.#free.add(module);
    this.#cells.clear();
  }

  /** The file of a cell that is to be checked, completed or looked at. `more`: names that it does not use. */
  current(source: string, facts: Facts, more: readonly string[] = []): CellText {
    const wanted = more.length > 0 ? new Set([...facts.used, ...more]) : facts.used;
    return wrap(header(facts, this.names, throughHistory, wanted), source, footer(facts, this.names));
  }

  /**
   * A file that stands still while cells are written, with a line for each variable and two for names, where questions are
   * answered from the program that the server has.
   */
  namesFile(): NamesFile {
    if (this.#namesFile?.revision === this.revision) return this.#namesFile;
    const variables = [...this.names].flatMap(([name, { value }]) => (value ? [name] : []));
    const nothing = { declared: new Map(), used: new Set(), assigned: new Set(), touched: new Set() };
    const before = header(
      { ...nothing, augments: new Set(), exported: new Set() } as Facts,
      this.names,
      throughHistory,
      [...variables],
    );
    const lines = new Map(variables.map((name, index) => [name, index + 3]));
    const text = [before, ";", "( )", ...variables.map((name) => `${name}.;`), "export {};\n"].join("\n");
    this.#namesFile = { revision: this.revision, text, lines };
    return this.#namesFile;
  }

  /** A cell begins to run. */
  begin(source: string, facts: Facts, tsx: boolean, key?: string): PastCell {
    const id = ++this.#lastId;
    const from = new Set<number>();
    const before = header(facts, this.names, this.#direct(from), facts.used);
    const parts = { before, source, after: footer(facts, this.names) };
    const module = this.#file(tsx);
    const cell: PastCell = { id, module, key, facts, parts, from, text: "", places: new Map() };
    write(cell, new Map());
    this.revision++;
    for (const older of this.augmentedBy(facts, key)) older.facts.augments.clear();
    this.names.begin(id, facts);
    this.#cells.set(id, cell);
    this.#sweep();
    return cell;
  }

  has({ id }: PastCell): boolean {
    return this.#cells.has(id);
  }

  /** Writes the types of its variables into a cell's file. */
  freeze(cell: PastCell, types: ReadonlyMap<string, string>): void {
    for (const type of types.values())
      for (const { id, module } of this.#cells.values()) if (type.includes(JSON.stringify(module))) cell.from.add(id);
    write(cell, types);
  }

  /** The file of the cell that gave a name its meaning as a type. */
  moduleOfType(name: string): string | undefined {
    return this.#cells.get(this.names.get(name)?.type?.cell ?? -1)?.module;
  }

  /** What the cells' imports name, the last first. */
  modules(): string[] {
    const found = [...this.#cells.values()].flatMap(({ facts }) =>
      [...facts.declared.values()].flatMap(({ from }) => (from === undefined ? [] : [from.split(" ")[0]!])),
    );
    return [...new Set(found.reverse())];
  }

  succeed(cell: PastCell): void {
    this.revision++;
    this.names.succeed(cell.id, cell.facts);
    this.#sweep();
  }

  /** Earlier cells whose changes to the world a cell makes again. */
  augmentedBy(facts: Facts, key: string | undefined): PastCell[] {
    if (facts.augments.size === 0 && key === undefined) return [];
    return [...this.#cells.values()].filter(
      (cell) =>
        cell.facts.augments.size > 0 &&
        ((key !== undefined && cell.key === key) ||
          [...facts.augments].some((each) => each.includes(" ") && cell.facts.augments.has(each))),
    );
  }

  /** The history's file, without the changes that `without` made to the world. */
  text(without: readonly PastCell[] = []): string {
    const exports = new Map<number, string[]>();
    const add = (cell: number, what: string) => {
      const list = exports.get(cell);
      if (list) list.push(what);
      else exports.set(cell, [what]);
    };
    for (const [name, { value, type, narrowedBy }] of this.names) {
      if (value && type && value.cell !== type.cell) {
        add(value.cell, `${name} as ${valueNameOf(name)}`);
        add(type.cell, `type ${name} as ${typeNameOf(name)}`);
      } else add((value ?? type)!.cell, name);
      if (narrowedBy !== undefined) add(narrowedBy, `type ${endNameOf(name)}`);
    }
    const lines = [...exports].map(([id, list]) => `export { ${list.join(", ")} } from ${this.#specifier(id)};`);
    for (const cell of this.#cells.values())
      if (cell.facts.augments.size > 0 && !without.includes(cell)) lines.push(`import ${this.#specifier(cell.id)};`);
    for (const module of this.#free) lines.push(`import ${JSON.stringify(module)};`);
    return `${lines.join("\n")}\nexport {};\n`;
  }

  #specifier(id: number): string {
    return JSON.stringify(this.#cells.get(id)?.module);
  }

  #file(tsx: boolean): string {
    for (const module of this.#free) {
      if (module.endsWith("x") !== tsx) continue;
      this.#free.delete(module);
      return module;
    }
    return cellModule(++this.#files, tsx);
  }

  #direct(from: Set<number>): Places {
    const place = (cell: number, name: string) => {
      from.add(cell);
      return { module: this.#cells.get(cell)!.module, name };
    };
    return {
      value: (name, record) => place(record.value!.cell, name),
      type: (name, record) => place(record.type!.cell, name),
      end: (name, cell) => place(cell, endNameOf(name)),
    };
  }

  /** Forgets cells that nothing can refer to any more: the same cell run a thousand times is one file. */
  #sweep(): void {
    const live = new Set<number>();
    const mark = (id: number | undefined): void => {
      if (id === undefined || live.has(id)) return;
      live.add(id);
      for (const each of this.#cells.get(id)?.from ?? []) mark(each);
    };
    for (const [, { value, type, narrowedBy }] of this.names)
      for (const id of [value?.cell, type?.cell, narrowedBy]) mark(id);
    for (const cell of this.#cells.values()) if (cell.facts.augments.size > 0) mark(cell.id);
    // The last one may still be running, and narrow something when it ends.
    mark(this.#lastId);
    for (const { id, module } of this.#cells.values()) {
      if (live.has(id)) continue;
      this.#cells.delete(id);
      this.#free.add(module);
    }
  }
}

function write(cell: PastCell, types: ReadonlyMap<string, string>): void {
  const { facts, parts } = cell;
  const { text, lines } = wrap(parts.before, withTypes(parts.source, facts, types), parts.after);
  cell.text = text;
  cell.places = placesIn(parts.source, facts, lines, types);
}

function placesIn(
  source: string,
  facts: Facts,
  lines: number,
  types: ReadonlyMap<string, string>,
): Map<string, Position> {
  const places = new Map<string, Position>();
  for (const [name, { at }] of facts.declared) {
    const { line, character } = positionIn(source, at);
    let added = 0;
    for (const [other, type] of types) {
      const before = facts.declared.get(other)!.at;
      if (before < at && !source.slice(before, at).includes("\n")) added += type.length + 2;
    }
    places.set(name, { line: line + lines, character: character + added });
  }
  return places;
}

const throughHistory: Places = {
  value: (name, { value, type }) => ({
    module: historyModule,
    name: type && type.cell !== value!.cell ? valueNameOf(name) : name,
  }),
  type: (name, { value, type }) => ({
    module: historyModule,
    name: value && value.cell !== type!.cell ? typeNameOf(name) : name,
  }),
  end: (name) => ({ module: historyModule, name: endNameOf(name) }),
};

/** Comments that tell the compiler something only where nothing stands before them. */
const pragma = /^\s*(?:\/\/\s*@ts-(?:no)?check\b|\/\/\/\s*<|\/\*\*?\s*@jsx)/;

function wrap(before: string, source: string, after: string): CellText {
  const leading: string[] = [];
  for (const line of source.split("\n")) {
    if (pragma.test(line)) leading.push(line);
    else if (!/^\s*(\/\/|$)/.test(line)) break;
  }
  const head = [...leading, before].join("\n");
  return { text: `${head}\n${source}\n${after}\n`, lines: leading.length + 1 };
}
