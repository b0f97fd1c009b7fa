import type { Position } from "../server/protocol.ts";
import { type CellAnalysis, emptyAnalysis } from "./cell-analysis.ts";
import { CellFiles, type CellText, exportAs, fileText, type Place } from "./cell-files.ts";
import { footer, type Header, header, headerText, moduleNameOf, rootOf } from "./header.ts";
import { inserted, insertions, placesIn } from "./materialize-types.ts";
import { Names } from "./names.ts";
import { historyModule } from "./paths.ts";
import { positionIn } from "./positions.ts";

/** A cell that began to run. */
export interface PastCell {
  id: number;
  /** The front end's id of the cell, which is the same at every run. */
  key: string | undefined;
  facts: CellAnalysis;
  source: string;
  /** The code before the cell, which brings in names, and the code after it, which exports its own. */
  before: Header;
  after: string;
  /** Type annotations that were added to its variables. */
  written: Map<string, string>;
  /** The paths of types from other cells, by the name that it uses: `$$p1.$$3.Box` for `Box`. */
  types: ReadonlyMap<string, string>;
  /** The earlier cells whose names it uses. */
  from: Set<number>;
}

/** A file with one line for each variable: its name, then a dot. `lines` holds the line of each. */
export interface NamesFile {
  revision: number;
  text: string;
  lines: ReadonlyMap<string, number>;
}

/**
 * The notebook as a TypeScript program. Every cell that ran is in a file. It exports its declarations, and imports the names
 * it uses from the cells that had declared them by then, so it never changes and is never checked again. One more file, the
 * history, exports all these files under names. They, and the cell to be checked, import only the history. So a new cell
 * changes one file and no file's list of imported modules, and the server can keep its program.
 */
export class Program {
  readonly names = new Names();
  readonly #cells = new Map<number, PastCell>();
  readonly #files = new CellFiles();
  /** The modules that cells import, in the order of their first import. */
  readonly #modules: string[] = [];
  #lastId = 0;
  #namesFile: NamesFile | undefined;
  /** Increases with every change. */
  revision = 0;

  /** The history, and the files of cells. */
  *files(): IterableIterator<[module: string, text: string]> {
    const modules = this.#modules.map((module, index) => exportAs(moduleNameOf(index), module));
    yield [historyModule, `${this.#files.exports()}${modules.join("")}export {};\n`];
    yield* this.#files.texts();
  }

  /** The position of a variable's last declaration. */
  declaration(name: string): { module: string; position: Position } | undefined {
    const cell = this.#cells.get(this.names.get(name)?.value?.cell ?? -1);
    return cell?.facts.declared.has(name) ? this.placeIn(cell, name) : undefined;
  }

  placeOf({ id }: PastCell): Place {
    return this.#files.placeOf(id);
  }

  /** The position of a declared name in its cell's file. */
  placeIn(cell: PastCell, name: string): { module: string; position: Position } {
    const { id, facts, source, written } = cell;
    const { at } = facts.declared.get(name)!;
    const { line, character } = positionIn(source, at);
    const before = insertions(source, facts, written).filter((each) => each.at < at && each.at >= at - character);
    const added = before.reduce((sum, { text }) => sum + text.length, 0);
    const position = { line: line + this.#files.lineOf(id), character: character + added };
    return { module: this.#files.placeOf(id).module, position };
  }

  /** The cell that a path in a message refers to (`$$17`), or that contains a line of a file. */
  cellAt(stem: string, where: { path: string } | { line: number }): number | undefined {
    if ("line" in where) return this.#files.cellAt(stem, where.line);
    const inPage = /^\$\$(\d+)/.exec(where.path)?.[1];
    return inPage === undefined ? this.#files.cellAt(stem, 0) : Number(inPage);
  }

  clear(): void {
    this.revision++;
    this.names.clear();
    this.#files.clear();
    this.#cells.clear();
    this.#modules.length = 0;
  }

  /** The file of a cell that is to be checked, completed or inspected. `more` are further names to bring in. */
  current(source: string, facts: CellAnalysis, more: readonly string[] = []): CellText {
    const names = more.length > 0 ? new Set([...facts.used, ...more]) : facts.used;
    return fileText({ before: this.#header(facts, names), source, after: footer(facts, this.names) });
  }

  /**
   * A file that does not change while a cell is edited. It has a line for each variable and two for names. Completions at
   * these lines need no change to the server's program.
   */
  namesFile(): NamesFile {
    if (this.#namesFile?.revision === this.revision) return this.#namesFile;
    const variables = [...this.names].flatMap(([name, { value }]) => (value ? [name] : []));
    const before = headerText(this.#header(emptyAnalysis(), variables));
    const lines = new Map(variables.map((name, index) => [name, index + 3]));
    const text = [before, ";", "( )", ...variables.map((name) => `${name}.;`), "export {};\n"].join("\n");
    this.#namesFile = { revision: this.revision, text, lines };
    return this.#namesFile;
  }

  /** Adds a cell that begins to run. */
  begin(source: string, given: CellAnalysis, tsx: boolean, key?: string): PastCell {
    const id = ++this.#lastId;
    // A copy, because the same text may run again: this cell then loses its augmentations, and the new one has them.
    const facts = { ...given, augments: new Set(given.augments) };
    const before = this.#header(facts, facts.used);
    const types = this.#typesOf(facts);
    const after = footer(facts, this.names);
    const cell: PastCell = { id, key, facts, source, before, after, types, from: before.cells, written: new Map() };
    this.#files.take(id, facts, tsx, aloneInFile.test(source));
    this.#write(cell);
    this.revision++;
    for (const older of this.augmentedBy(facts, key)) this.#takeBack(older);
    for (const { from } of facts.declared.values()) {
      const module = from?.split(" ")[0];
      if (module !== undefined && !this.#modules.includes(module)) this.#modules.push(module);
    }
    this.names.begin(id, facts);
    this.#cells.set(id, cell);
    this.#sweep();
    return cell;
  }

  has({ id }: PastCell): boolean {
    return this.#cells.has(id);
  }

  /** Adds type annotations to a cell's variables. */
  freeze(cell: PastCell, types: ReadonlyMap<string, string>): void {
    for (const [name, type] of types) {
      cell.written.set(name, type);
      for (const path of placesIn(type)) {
        cell.before.from.add(rootOf(path));
        const other = this.#files.cellOf(path);
        if (other !== undefined) cell.from.add(other);
      }
    }
    if (types.size > 0) this.#write(cell);
  }

  /** The names by which files refer to imported modules. The last imported comes first. */
  modules(): string[] {
    return this.#modules.map((_, index) => moduleNameOf(index)).reverse();
  }

  /** The path, valid in any file, of the type that a name denotes now. */
  typeNamed(name: string): string | undefined {
    const cell = this.names.get(name)?.type?.cell;
    return cell === undefined ? undefined : `${this.#files.placeOf(cell).path}.${name}`;
  }

  succeed(cell: PastCell): void {
    this.revision++;
    this.names.succeed(cell.id, cell.facts);
    this.#sweep();
  }

  /** Earlier cells whose augmentations of globals or modules this cell repeats. */
  augmentedBy(facts: CellAnalysis, key: string | undefined): PastCell[] {
    if (facts.augments.size === 0 && key === undefined) return [];
    return [...this.#cells.values()].filter(
      (cell) =>
        cell.facts.augments.size > 0 &&
        ((key !== undefined && cell.key === key) ||
          [...facts.augments].some((each) => each.includes(" ") && cell.facts.augments.has(each))),
    );
  }

  /** A cell's file without its augmentations of globals and modules. */
  withoutAugmentations(cell: PastCell): [module: string, text: string] {
    const source = sourceWithoutAugmentations(cell);
    return [this.placeOf(cell).module, fileText(this.#blockOf({ ...cell, source })).text];
  }

  #takeBack(cell: PastCell): void {
    cell.source = sourceWithoutAugmentations(cell);
    cell.facts.augments.clear();
    this.#write(cell);
  }

  #write(cell: PastCell): void {
    this.#files.write(cell.id, this.#blockOf(cell));
  }

  #blockOf({ facts, source, before, after, written }: PastCell) {
    return { before, source: inserted(source, insertions(source, facts, written)), after };
  }

  #header(facts: CellAnalysis, wanted: Iterable<string>) {
    return header(facts, this.names, (cell) => this.#files.placeOf(cell).path, wanted);
  }

  #typesOf({ declared, used }: CellAnalysis): Map<string, string> {
    const types = new Map<string, string>();
    for (const name of used) {
      const meant = declared.get(name)?.type ? undefined : this.typeNamed(name);
      if (meant !== undefined) types.set(name, meant);
    }
    return types;
  }

  /** Forgets cells that no name and no other cell refers to. */
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
    // The last cell may still be running, and may narrow a variable when it ends.
    mark(this.#lastId);
    for (const { id } of this.#cells.values()) {
      if (live.has(id)) continue;
      this.#cells.delete(id);
      this.#files.release(id);
    }
  }
}

/** Matches cells that need their own file: comments that apply to a whole file, and an `await` before a line break. */
const aloneInFile = /^[ \t]*(?:\/\/\/\s*<|\/\*\*?\s*@jsx)|\bawait[^\S\n]*(?:\/\/.*)?\n/m;

function sourceWithoutAugmentations({ facts, source }: PastCell): string {
  let text = source;
  for (const { start, end } of facts.augmentations)
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\r\n]/g, " ") + text.slice(end);
  return text;
}
