import MagicString from "magic-string";
import { UserError } from "../../src/base/user-error.ts";
import { parseCell } from "../compile/parse.ts";
import type { Node } from "../compile/tree.ts";
import { MAGICS } from "../magics/names.ts";
import { readMagics } from "../magics/rewrite.ts";
import { Checker } from "./checker.ts";
import type { CheckedNotebook } from "./notebook.ts";
import { placeOf } from "./place.ts";
import { analyzeCell, type CellAnalysis } from "./program/cell-analysis.ts";
import { offsetIn, positionIn, shifted } from "./program/positions.ts";
import { versions } from "./program/versions.ts";
import { notebookTypes } from "./report/metadata.ts";
import type { Position, Range, ServerDiagnostic } from "./server/protocol.ts";
import type { Workspace } from "./server/workspace.ts";

export interface ExportedModule {
  text: string;
  /** The number of type errors that comments in the module's text silence. */
  silenced: number;
}

interface ExportedCell {
  number: number;
  text: string;
  body: Node[];
  facts: CellAnalysis;
}

interface TextEdit {
  range: Range;
  newText: string;
}

const patience = 60_000;

/**
 * Exports a notebook as one module. The cells keep their order, and every name is exported with its last declaration. Earlier
 * declarations of the same name get a number. Magics become comments. Remaining type errors, which occur because a module's
 * rules are stricter than a notebook's, are silenced line by line, with the reason.
 */
export async function exportNotebook(notebook: CheckedNotebook, file: string): Promise<ExportedModule> {
  const { compilerOptions } = notebookTypes(notebook.metadata);
  const cells = readCells(notebook);
  const naming = versions(cells.map(({ facts }) => facts));
  await using checker = new Checker({ ...placeOf(file), patience, ...(compilerOptions ? { compilerOptions } : {}) });
  const parts: string[] = [];
  for (const [index, cell] of cells.entries()) {
    const renames = naming.renames[index]!;
    const edits = await renameIn(checker, cell, renames);
    parts.push(`// %% [${cell.number}]\n${rewriteCell(cell, edits, naming.repeated[index]!)}`);
    checker.begin(cell.text);
  }
  checker.reset();
  const module = `${parts.join("\n\n").trimEnd()}\n\n${exportsOf(naming.final)}`;
  return await silence(checker, ambient(cells, naming.final) + module);
}

function readCells({ cells }: CheckedNotebook): ExportedCell[] {
  const read: ExportedCell[] = [];
  let number = 0;
  for (const { cell_type, source, metadata } of cells) {
    if (cell_type !== "code") continue;
    number++;
    if (Array.isArray(metadata.tags) && metadata.tags.includes("skip-execution")) continue;
    const { text, body, diagnostics } = parseCell(withMagicsAsComments(source));
    const [first] = diagnostics;
    if (first)
      throw new UserError(`cell ${number} has a syntax error at ${first.line}:${first.column}: ${first.message}`, 1);
    read.push({ number, text: text.trimEnd(), body, facts: analyzeCell(body) });
  }
  return read;
}

function withMagicsAsComments(source: string): string {
  const lines = source.split("\n");
  const rewritten = readMagics(source).code.split("\n");
  const asComment = (line: string) => (line.trim() === "" ? line : `// ${line}`);
  if (rewritten.length !== lines.length) return lines.map(asComment).join("\n");
  return lines
    .map((line, index) => {
      if (line === rewritten[index]) return line;
      if (/^\s*%import\s/.test(line)) return rewritten[index]!.slice(0, rewritten[index]!.indexOf(`; await ${MAGICS}`));
      return /["'](?:npm|jsr):/.test(line) ? rewritten[index]!.replace(/(["']) +(?=;|$)/, "$1") : asComment(line);
    })
    .join("\n");
}

/** Edits that rename a cell's names. The language server makes them, because it resolves each name to its declaration. */
async function renameIn(checker: Checker, { text, facts }: ExportedCell, renames: ReadonlyMap<string, string>) {
  if (renames.size === 0) return [];
  const header = checker.program.current(text, facts);
  const count = text.split("\n").length;
  return checker.about(text, [], async (workspace, module, lines) => {
    const edits: { start: number; end: number; newText: string }[] = [];
    for (const [name, newName] of renames) {
      const declared = facts.declared.get(name);
      const position = declared ? shifted(positionIn(text, declared.at), lines) : placeInHeader(header.text, name);
      if (!position) continue;
      for (const { range, newText } of await rename(workspace, module, position, newName)) {
        if (range.start.line < lines || range.end.line >= lines + count) continue;
        const start = offsetIn(text, shifted(range.start, -lines));
        const end = offsetIn(text, shifted(range.end, -lines));
        edits.push({ start, end, newText });
      }
    }
    return edits;
  });
}

async function rename(workspace: Workspace, module: string, position: Position, newName: string): Promise<TextEdit[]> {
  const answer = await workspace.ask<{
    changes?: Record<string, TextEdit[]>;
    documentChanges?: { textDocument: { uri: string }; edits: TextEdit[] }[];
  } | null>("textDocument/rename", module, { position, newName });
  const uri = workspace.uri(module);
  const changes = answer?.changes?.[uri] ?? [];
  const documents = answer?.documentChanges?.filter(({ textDocument }) => textDocument.uri === uri) ?? [];
  return [...changes, ...documents.flatMap(({ edits }) => edits)];
}

function placeInHeader(text: string, name: string): Position | undefined {
  const found = new RegExp(`(?<![\\p{ID_Continue}$.])${name.replaceAll("$", "\\$")}(?![\\p{ID_Continue}$])`, "u").exec(
    text,
  );
  return found ? positionIn(text, found.index) : undefined;
}

/** The cell's text with new names, without its exports and without imports that an earlier cell already has. */
function rewriteCell(
  { text, body }: ExportedCell,
  edits: readonly { start: number; end: number; newText: string }[],
  repeated: ReadonlySet<string>,
): string {
  const edited = new MagicString(text);
  const removed: [number, number][] = [];
  const remove = (start: number, end: number) => {
    removed.push([start, end]);
    edited.remove(start, end);
  };
  for (const node of body) {
    if (node.type === "ExportNamedDeclaration" && !node.source) {
      const declaration = node.declaration as Node | null;
      remove(node.start, declaration ? declaration.start : node.end);
    } else if (node.type === "ExportDefaultDeclaration") {
      const declaration = node.declaration as Node;
      const named = (declaration.id as Node | null | undefined) != null;
      if (named || !/Declaration$/.test(declaration.type)) remove(node.start, declaration.start);
    } else if (node.type === "ImportDeclaration") {
      const specifiers = node.specifiers as Node[];
      const remaining = specifiers.filter((each) => !repeated.has((each.local as Node).name as string));
      if (remaining.length === specifiers.length) continue;
      if (remaining.length === 0) remove(node.start, node.end);
      else {
        removed.push([node.start, node.end]);
        edited.overwrite(node.start, node.end, importOf(node, remaining, text));
      }
    }
  }
  for (const { start, end, newText } of edits) {
    if (removed.some(([from, to]) => start >= from && end <= to)) continue;
    if (start === end) edited.appendLeft(start, newText);
    else edited.update(start, end, newText);
  }
  return edited.toString().trim();
}

function importOf(node: Node, kept: readonly Node[], text: string): string {
  const textOf = (each: Node) => text.slice(each.start, each.end);
  const whole = kept.filter(({ type }) => type !== "ImportSpecifier").map(textOf);
  const named = kept.filter(({ type }) => type === "ImportSpecifier").map(textOf);
  const list = [...whole, ...(named.length > 0 ? [`{ ${named.join(", ")} }`] : [])].join(", ");
  return `import ${node.importKind === "type" ? "type " : ""}${list} from ${textOf(node.source as Node)};`;
}

function exportsOf(final: ReadonlyMap<string, { value: boolean }>): string {
  const values = [...final].flatMap(([name, { value }]) => (value ? [name] : []));
  const types = [...final].flatMap(([name, { value }]) => (value ? [] : [name]));
  const lines = [`export { ${values.join(", ")} };`.replace("{  }", "{}")];
  if (types.length > 0) lines.push(`export type { ${types.join(", ")} };`);
  return `${lines.join("\n")}\n`;
}

/** Globals that exist only in a notebook. */
function ambient(cells: readonly ExportedCell[], final: ReadonlyMap<string, unknown>): string {
  const used = ["comm", "progress"].filter(
    (name) => !final.has(name) && cells.some(({ facts }) => facts.used.has(name)),
  );
  return used.map((name) => `declare const ${name}: any;\n`).join("");
}

/** Puts `@ts-expect-error` before each line for which TypeScript reports an error. */
async function silence(checker: Checker, module: string): Promise<ExportedModule> {
  let text = module;
  let silenced = 0;
  for (let round = 0; round < 3; round++) {
    const found = await diagnose(checker, text);
    if (found.length === 0) break;
    const lines = text.split("\n");
    const byLine = new Map(
      found.map(({ range, code, message }) => [range.start.line, `TS${code}: ${message.split("\n")[0]}`]),
    );
    for (const [line, why] of [...byLine].sort(([a], [b]) => b - a))
      lines.splice(line, 0, `// @ts-expect-error ${why}`);
    silenced += byLine.size;
    text = lines.join("\n");
  }
  return { text, silenced };
}

async function diagnose(checker: Checker, text: string): Promise<ServerDiagnostic[]> {
  return checker.about(text, [], async (workspace, module, lines) => {
    const { items = [] } = await workspace.ask<{ items?: ServerDiagnostic[] }>("textDocument/diagnostic", module);
    const count = text.split("\n").length;
    return items
      .filter(({ severity }) => severity === 1)
      .map((each) => ({
        ...each,
        range: { start: shifted(each.range.start, -lines), end: shifted(each.range.end, -lines) },
      }))
      .filter(({ range }) => range.start.line >= 0 && range.start.line < count);
  });
}
