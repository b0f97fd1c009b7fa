import { wordEnd, wordStart } from "../../compile/words.ts";
import { importLine, libraryExports } from "../../magics/library-exports.ts";
import type { CompletionItem, Completions } from "../../protocol/inspection.ts";
import type { Checker } from "../checker.ts";
import type { Kind } from "../program/cell-analysis.ts";
import { kernelModules } from "../program/packages.ts";
import { namesModule } from "../program/paths.ts";
import { markupText, offsetIn, positionIn, shifted } from "../program/positions.ts";
import type { Range, ServerCompletion, ServerCompletions } from "../server/protocol.ts";
import type { Workspace } from "../server/workspace.ts";
import { type ContextFreeCompletion, contextFreeCompletion } from "./context-free.ts";
import { pathCompletions } from "./files.ts";
import { magicCompletions } from "./magic.ts";
import { parsePartial } from "./parse-partial.ts";

/** How many items get a type and documentation, each of which is a request. */
const described = 12;

/** Completion at a cursor (UTF-16 offset): from the types, and where those say nothing, from files and magics. */
export class Completer {
  readonly #checker: Checker;
  /** The last list, for the next letters of the same word. */
  #last: { key: string; typed: string; found: Found } | undefined;
  /** Lists that hold until the next cell runs. */
  #plain = { revision: -1, lists: new Map<string, Item[]>() };

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  async complete(code: string, cursor: number): Promise<Completions | undefined> {
    const magic = magicCompletions(this.#checker.cwd, code, cursor);
    if (magic) return magic;
    const text = parsePartial(code).text;
    const first = wordStart(text, cursor);
    const isNumber = /\d/.test(text[first] ?? "") && first < cursor;
    const start = isNumber ? cursor : text[first - 1] === "#" ? first - 1 : first;
    const prefix = text.slice(start, cursor);
    const end = wordEnd(text, cursor);
    const key = `${this.#checker.revision} ${start} ${text.slice(0, start)}\0${text.slice(end)}`;
    const last = this.#last?.key === key && prefix.startsWith(this.#last.typed) ? this.#last : undefined;
    const found =
      last?.found ?? (await this.#askPlain(text, cursor, start, end)) ?? (await this.#ask(code, text, cursor, start));
    if (!found) return pathCompletions(this.#checker.cwd, text, cursor);
    if (!last) this.#last = { key, typed: prefix, found };
    const from = found.start ?? start;
    const prefixAtStart = text.slice(from, cursor);
    const matches = matching(found.items, prefixAtStart, ({ text }) => text);
    if (matches.length === 0) return pathCompletions(this.#checker.cwd, text, cursor);
    const items = await this.#describe(matches);
    return { start: from, end: Math.max(end, found.end ?? end), items };
  }

  /** An answer that does not depend on the cell's text, from the program that the server already has. */
  async #askPlain(text: string, cursor: number, start: number, end: number): Promise<Found | undefined> {
    const { revision, program } = this.#checker;
    const place = contextFreeCompletion(text, start, end, (name) => program.names.get(name)?.value !== undefined);
    if (!place) return undefined;
    const key = "member" in place ? `${place.member}.` : place.names;
    if (this.#plain.revision !== revision) this.#plain = { revision, lists: new Map() };
    const items = this.#plain.lists.get(key) ?? (await this.#listPlain(place));
    if (!items) return undefined;
    this.#plain.lists.set(key, items);
    if ("member" in place) return { items };
    const declared = parsePartial(text).facts.declared;
    const all = items.filter(({ text }) => !declared.has(text));
    for (const [name, { kind }] of declared) all.push({ text: name, kind: valueKinds[kind] });
    const first = matching(all, text.slice(start, cursor), ({ text }) => text).slice(0, described);
    return first.some(({ text }) => declared.has(text)) ? undefined : { items: all };
  }

  async #listPlain(place: ContextFreeCompletion): Promise<Item[] | undefined> {
    const list = await this.#checker.aboutNames((workspace, lines) => {
      const at = "member" in place ? place.member : place.names;
      const [line, character] =
        "member" in place ? [lines.get(at) ?? 0, at.length + 1] : at === "statement" ? [1, 0] : [2, 1];
      return workspace.complete(namesModule, { line, character });
    });
    if (!list || list.items.length === 0 || rangeOf(list.items[0]!)) return undefined;
    const items = itemsOf(list);
    if (!("member" in place)) {
      this.#addNames(items);
      addExports(items);
    }
    return items;
  }

  async #ask(code: string, text: string, cursor: number, start: number): Promise<Found | undefined> {
    const member = /(?:^|[^.])\.\s*$|\.\.\.\.$/.test(text.slice(0, start)) || /\?\.\s*$/.test(text.slice(0, start));
    const names = member ? [] : [...this.#checker.program.names].map(([name]) => name);
    const near = matching(names, text.slice(start, cursor), (name) => name).slice(0, described);
    const answer = await this.#checker.about(code, near, (workspace, module, lines) =>
      workspace.complete(module, shifted(positionIn(text, cursor), lines)).then((list) => ({ list, lines })),
    );
    const { list, lines } = answer;
    if (!list || list.items.length === 0) return undefined;
    const found = itemsOf(list);
    const range = rangeOf(list.items[0]!) ?? rangeIn(list.itemDefaults?.editRange);
    if (list.items.find(({ label }) => !label.includes("$$"))?.kind === moduleKind)
      for (const name of kernelModules())
        if (!found.some(({ text }) => text === name)) found.push({ text: name, kind: "module" });
    if (list.items.some(({ label }) => label === "globalThis")) {
      this.#addNames(found);
      addExports(found);
    }
    if (!range) return { items: found };
    const place = (at: Range["start"]) => offsetIn(text, shifted(at, -lines));
    return { items: found, start: place(range.start), end: place(range.end) };
  }

  /** Adds the notebook's other names. Sending the server all of them would cost more the longer the notebook is. */
  #addNames(found: Item[]): void {
    const names = new Set(found.map(({ text }) => text));
    for (const [name, { value }] of this.#checker.program.names)
      if (!names.has(name)) found.push({ text: name, kind: value ? valueKinds[value.kind] : "interface" });
  }

  /** With types and documentation for the first of them. */
  async #describe(items: Item[]): Promise<CompletionItem[]> {
    const undescribed = items.slice(0, described).filter((item) => item.server && !item.done);
    if (undescribed.length > 0) {
      const resolve = (workspace: Workspace) =>
        Promise.all(
          undescribed.map(({ server }) => workspace.resolve("completionItem/resolve", server!).catch(() => server!)),
        );
      const resolved = await this.#checker.ask(resolve).catch(() => []);
      for (const [index, { detail, documentation }] of resolved.entries()) {
        const item = undescribed[index]!;
        item.done = true;
        if (detail) item.signature = withoutAlias(detail);
        const docs = markupText(documentation);
        if (docs) item.documentation = docs;
        item.kind = refined(item.kind, detail);
      }
    }
    return items.map(({ server: _, done: __, ...item }) => item);
  }
}

interface Item extends CompletionItem {
  server?: ServerCompletion;
  done?: boolean;
}

interface Found {
  items: Item[];
  start?: number;
  end?: number;
}

const moduleKind = 9;
/** The protocol's kinds of completion items (3.17), as front ends call them. */
const kinds: Record<number, string> = {
  2: "method",
  3: "function",
  4: "class",
  5: "property",
  6: "variable",
  7: "class",
  8: "interface",
  9: "module",
  10: "property",
  13: "enum",
  14: "keyword",
  17: "file",
  19: "folder",
  20: "enum",
  21: "constant",
};

const valueKinds: Record<Kind, string> = {
  const: "variable",
  let: "variable",
  var: "variable",
  function: "function",
  class: "class",
  enum: "enum",
  namespace: "module",
  type: "interface",
  import: "variable",
};

function itemsOf({ items }: ServerCompletions): Item[] {
  return items
    .filter(({ label }) => !/\$\$|^__halftone/.test(label))
    .sort(byRank)
    .map(itemOf);
}

function itemOf(server: ServerCompletion): Item {
  const text = server.textEdit?.newText ?? server.insertText ?? server.label;
  return { text, kind: kinds[server.kind ?? 0] ?? "variable", server };
}

/** An import has the kind of what it imports. */
function refined(kind: string, detail: string | undefined): string {
  const named = /^\(alias\) (function|class|enum|namespace|module|type|interface)\b/.exec(detail ?? "")?.[1];
  if (named === undefined) return kind;
  return named === "namespace" ? "module" : named;
}

export function withoutAlias(text: string): string {
  return text.replace(/^\(alias\) /, "").replace(/\nimport .*$/, "");
}

function byRank(a: ServerCompletion, b: ServerCompletion): number {
  const [first, second] = [a.sortText ?? "", b.sortText ?? ""];
  if (first !== second) return first < second ? -1 : 1;
  return a.label < b.label ? -1 : 1;
}

function rangeOf({ textEdit }: ServerCompletion): Range | undefined {
  if (!textEdit) return undefined;
  return "range" in textEdit ? textEdit.range : textEdit.replace;
}

function rangeIn(range: Range | { insert: Range; replace: Range } | undefined): Range | undefined {
  return range && "replace" in range ? range.replace : range;
}

/** Adds the exports of `halftone` that the cell has not imported, with the import to add. */
function addExports(found: Item[]): void {
  const names = new Set(found.map(({ text }) => text));
  for (const [name, kind] of libraryExports())
    if (!names.has(name)) {
      const line = importLine(name, kind);
      found.push({ text: name, kind, signature: line, import: line });
    }
}

/** The items that start with `typed`; if none does, those that match without regard to case, or contain it. */
function matching<One>(all: readonly One[], typed: string, textOf: (one: One) => string): One[] {
  if (typed === "") return [...all];
  const starting = all.filter((one) => textOf(one).startsWith(typed));
  if (starting.length > 0) return starting;
  const lower = typed.toLowerCase();
  const folded = all.filter((one) => textOf(one).toLowerCase().startsWith(lower));
  return folded.length > 0 ? folded : all.filter((one) => textOf(one).toLowerCase().includes(lower));
}
