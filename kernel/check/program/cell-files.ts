import type { CellAnalysis } from "./cell-analysis.ts";
import { type Header, headerText } from "./header.ts";
import { cellModule, pageModule, stemIn } from "./paths.ts";

/** The position of a cell's declarations in the notebook's files. */
export interface Place {
  module: string;
  /** The path from an export of the history, such as `$$p1.$$17`. */
  path: string;
}

/** A cell's part of a file: its header of imported names, its source, and its exports. */
export interface Block {
  before: Header;
  source: string;
  after: string;
}

/** A file that holds many cells, each in a separate namespace. */
interface Page {
  module: string;
  name: string;
  blocks: Map<number, Block>;
  text: string;
  /** The first line of each cell's source. */
  lines: Map<number, number>;
}

interface OwnFile {
  module: string;
  name: string;
  tsx: boolean;
  text: string;
  /** The first line of the cell's source. */
  line: number;
  /** The modules that its text imports. */
  imports: string;
  cell?: number | undefined;
}

/** The number of pages at the start. Each adds to the server's start time. */
const pagesAtFirst = 4;
/** The most characters in a page. The server parses the whole page again when a cell is added. */
const mostText = 8000;

/** The text of a file without cells. */
export const emptyText = `${headerText({ from: new Set(), statements: "" })}\nexport {};\n`;

/**
 * The files that hold the notebook's cells. The server keeps its program when only one file changes and the imports of that
 * file do not. A new file makes it build a new program, which takes longer the more files there are. So cells are put into a
 * few pages that exist from the start. A cell that imports a module gets its own file.
 */
export class CellFiles {
  readonly #pages: Page[] = Array.from({ length: pagesAtFirst }, (_, index) => pageOf(index + 1));
  readonly #own: OwnFile[] = [ownFile(1, false)];
  readonly #places = new Map<number, Page | OwnFile>();

  /** All files except the history. */
  *texts(): IterableIterator<[module: string, text: string]> {
    for (const { module, text } of [...this.#pages, ...this.#own]) yield [module, text];
  }

  /** The history's export statements for these files. */
  exports(): string {
    const lines = [...this.#pages, ...this.#own].map(({ name, module }) => exportAs(name, module));
    return lines.join("");
  }

  /** Assigns a page or a file to a cell. */
  take(cell: number, facts: CellAnalysis, tsx: boolean, alone: boolean): Place {
    const place = facts.ownFile || tsx || alone ? this.#takeFile(tsx, facts.modules) : this.#shortestPage();
    if (!isPage(place)) place.cell = cell;
    this.#places.set(cell, place);
    return this.placeOf(cell);
  }

  placeOf(cell: number): Place {
    const place = this.#places.get(cell)!;
    return { module: place.module, path: isPage(place) ? `${place.name}.$$${cell}` : place.name };
  }

  /** The cell that a path refers to. */
  cellOf(path: string): number | undefined {
    const inPage = /^\$\$p\d+\.\$\$(\d+)/.exec(path)?.[1];
    if (inPage !== undefined) return Number(inPage);
    const name = /^\$\$f\d+/.exec(path)?.[0];
    return this.#own.find((each) => each.name === name)?.cell;
  }

  /** The cell at a line of a file. `stem` is the file's name without its extension. */
  cellAt(stem: string, line: number): number | undefined {
    const page = this.#pages.find(({ module }) => stemIn(module) === stem);
    if (!page) return this.#own.find(({ module }) => stemIn(module) === stem)?.cell;
    return [...page.lines].findLast(([, first]) => first <= line + 1)?.[0];
  }

  /** The line of its file at which a cell's source begins. */
  lineOf(cell: number): number {
    const place = this.#places.get(cell)!;
    return isPage(place) ? place.lines.get(cell)! : place.line;
  }

  write(cell: number, block: Block): void {
    const place = this.#places.get(cell)!;
    if (isPage(place)) {
      place.blocks.set(cell, block);
      writePage(place);
    } else {
      const { text, lines } = fileText(block);
      Object.assign(place, { text, line: lines });
    }
  }

  /** Forgets a cell. Its text stays until its file is written again, because removing it would change one more file. */
  release(cell: number): void {
    const place = this.#places.get(cell)!;
    if (isPage(place)) place.blocks.delete(cell);
    else place.cell = undefined;
    this.#places.delete(cell);
  }

  clear(): void {
    this.#places.clear();
    for (const page of this.#pages) {
      page.blocks.clear();
      page.lines.clear();
      page.text = emptyText;
    }
    for (const file of this.#own) Object.assign(file, { cell: undefined, text: emptyText, imports: "[]" });
  }

  #shortestPage(): Page {
    const shortest = this.#pages.reduce((least, each) => (each.text.length < least.text.length ? each : least));
    if (shortest.text.length < mostText) return shortest;
    const page = pageOf(this.#pages.length + 1);
    this.#pages.push(page);
    return page;
  }

  /** Returns a free file, preferably one whose text imports the same modules. */
  #takeFile(tsx: boolean, modules: readonly string[]): OwnFile {
    const imports = JSON.stringify(modules);
    const free = this.#own.filter((each) => each.tsx === tsx && each.cell === undefined);
    let file = free.find((each) => each.imports === imports) ?? free[0];
    if (!file) {
      file = ownFile(this.#own.length + 1, tsx);
      this.#own.push(file);
    }
    file.imports = imports;
    return file;
  }
}

export function exportAs(name: string, module: string): string {
  return `export * as ${name} from ${JSON.stringify(module)};\n`;
}

function isPage(place: Page | OwnFile): place is Page {
  return "blocks" in place;
}

function pageOf(number: number): Page {
  const place = { module: pageModule(number), name: `$$p${number}` };
  return { ...place, blocks: new Map(), text: emptyText, lines: new Map() };
}

function ownFile(number: number, tsx: boolean): OwnFile {
  return { module: cellModule(number, tsx), name: `$$f${number}`, tsx, text: emptyText, line: 0, imports: "[]" };
}

function writePage(page: Page): void {
  const from = new Set([...page.blocks.values()].flatMap(({ before }) => [...before.from]));
  let text = `${headerText({ from, statements: "" })}\n`;
  let line = 1;
  page.lines.clear();
  for (const [cell, { before, source, after }] of page.blocks) {
    const added = `export namespace $$${cell} { ${before.statements}\n${source}\n${after} }\n`;
    page.lines.set(cell, line + 1);
    text += added;
    line += added.split("\n").length - 1;
  }
  page.text = `${text}export {};\n`;
}

/** The text of a cell's file. The cell's source begins after `lines` lines. */
export interface CellText {
  text: string;
  lines: number;
}

/** Comments that the compiler reads only at the start of a file. */
const pragma = /^\s*(?:\/\/\s*@ts-(?:no)?check\b|\/\/\/\s*<|\/\*\*?\s*@jsx)/;

export function fileText({ before, source, after }: Block): CellText {
  const leading: string[] = [];
  for (const line of source.split("\n")) {
    if (pragma.test(line)) leading.push(line);
    else if (!/^\s*(\/\/|$)/.test(line)) break;
  }
  const head = [...leading, headerText(before)].join("\n");
  return { text: `${head}\n${source}\n${after}\n`, lines: leading.length + 1 };
}
