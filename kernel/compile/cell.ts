import { parseSync } from "oxc-parser";
import type { CellImport } from "../protocol/imports.ts";
import { type Diagnostic, diagnosticAt } from "./diagnostic.ts";
import { type DeferredImports, importStatement, readImport } from "./imports.ts";
import { tooManyLevels } from "./nesting.ts";
import { type ParsedCell, parseCell } from "./parse.ts";
import { rewrite } from "./rewrite.ts";
import { type Scan, scan } from "./scan.ts";
import { transform } from "./transform.ts";
import type { Node } from "./tree.ts";
import { jsxVariables, type RunOptions } from "./tsconfig.ts";

export interface CompileOptions {
  /** The cell's unique number. The script passes it to the host with each call. */
  cell: number;
  /** The name of the global that holds the host's functions. */
  host: string;
  /** Imports of earlier cells that so far were used only as types, by local name. */
  deferred?: DeferredImports;
  run: RunOptions;
  /** Whether the last expression is the cell's value also before a semicolon, as in Deno. */
  showsBeforeSemicolon?: boolean;
  /** Whether all statements run in one function, so that debuggers other than the kernel's own step from one to the next. */
  inOneFunction?: boolean;
}

/** A script for V8's REPL mode, or the syntax errors. */
export type CompiledCell = CompiledScript | { ok: false; diagnostics: Diagnostic[] };

export interface CompiledScript {
  ok: true;
  script: string;
  /** Source maps as JSON. A position in the script is mapped through each in order, back to the cell. */
  maps: string[];
  /** Whether the last statement is an expression without a semicolon. */
  hasValue: boolean;
  imports: CellImport[];
  /** Imports that so far are used only as types, by local name. */
  deferred: Map<string, CellImport>;
  /** Names declared at top level, imports and functions among them. */
  declared: Set<string>;
}

export function compileCell(source: string, options: CompileOptions): CompiledCell {
  try {
    return compile(source, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // A sum of thousands of terms is a tree with thousands of levels, although it has no bracket.
    return { ok: false, diagnostics: [diagnosticAt(source, 0, tooManyLevels)] };
  }
}

function compile(source: string, options: CompileOptions): CompiledCell {
  const parsed = parseCell(source);
  if (parsed.diagnostics.length > 0) return { ok: false, diagnostics: parsed.diagnostics };
  const uses = scan(parsed.body);
  if (uses.hasJsx) for (const name of jsxVariables(options.run.jsx)) uses.values.add(name);
  const { now, deferred } = readImports(parsed, uses, options);
  const hasValue = endsWithValue(parsed, options.showsBeforeSemicolon === true);

  let code = parsed.text;
  let body = parsed.body;
  const maps: string[] = [];
  if (uses.needsTransform || (uses.hasFields && !options.run.defineClassFields)) {
    const result = transform(code, {
      filename: `cell.${parsed.language}`,
      language: parsed.language,
      hasDecorators: uses.hasDecorators,
      mergesNamespaces: uses.mergesNamespaces,
      keepUnusedImports: true,
      run: options.run,
    });
    if (result.errors.length > 0) {
      const diagnostics = result.errors.map((error) => diagnosticAt(source, error.offset, error.message));
      return { ok: false, diagnostics };
    }
    code = result.code;
    maps.push(result.map);
    body = parseSync("cell.js", code, { lang: "js", sourceType: "module" }).program.body as unknown as Node[];
    now.push(...addedImports(body, parsed.body, code));
  }

  const loads = now.map((each) => importStatement(each, options.host, options.cell, uses.values));
  const { edited, declared } = rewrite(code, body, {
    host: options.host,
    cell: options.cell,
    hasValue,
    asynchronous: options.inOneFunction || uses.awaits || now.length > 0 || body.some(loadsForEffect),
    loads: { text: loads.join(""), names: now.flatMap((each) => each.names.map((name) => name.local)) },
  });
  const script = edited.toString();
  maps.unshift(JSON.stringify(edited.generateMap({ hires: "boundary", includeContent: false })));
  return { ok: true, script, maps, hasValue, imports: now, deferred, declared };
}

/** The cell's own imports in order, and those of earlier cells whose names it now uses as values. */
function readImports(parsed: ParsedCell, uses: Scan, options: CompileOptions) {
  const now: CellImport[] = [];
  const deferred = new Map<string, CellImport>();
  const imported = new Set<string>();
  for (const node of parsed.body) {
    if (node.type !== "ImportDeclaration") continue;
    for (const specifier of node.specifiers as Node[]) imported.add((specifier.local as Node).name as string);
    const read = readImport(node, parsed.text, uses);
    if (read.now) now.push(read.now);
    for (const each of read.later) deferred.set(each.names[0]!.local, each);
  }
  if (options.deferred) {
    for (const [name, each] of options.deferred)
      if (uses.values.has(name) && !imported.has(name) && !declares(parsed.body, name)) {
        const { at: _, ...elsewhere } = each;
        now.push(elsewhere);
      }
  }
  return { now, deferred };
}

/** Imports that the transform added: helpers and the JSX runtime. */
function addedImports(body: Node[], original: Node[], code: string): CellImport[] {
  const written = new Set<string>();
  for (const node of original)
    if (node.type === "ImportDeclaration")
      for (const specifier of node.specifiers as Node[]) written.add((specifier.local as Node).name as string);
  const nothing = scan([]);
  const added: CellImport[] = [];
  for (const node of body) {
    if (node.type !== "ImportDeclaration") continue;
    const locals = (node.specifiers as Node[]).map((specifier) => (specifier.local as Node).name as string);
    if (locals.length === 0 || locals.some((name) => written.has(name))) continue;
    const read = readImport(node, code, nothing);
    if (read.now) {
      const { at: _, ...written } = read.now;
      added.push(written);
    }
  }
  return added;
}

/** Whether the statement is `export ... from`, which loads a module without binding a name here. */
function loadsForEffect(node: Node): boolean {
  return /^Export(All|Named)Declaration$/.test(node.type) && node.source != null;
}

function declares(body: Node[], name: string): boolean {
  return body.some((node) => {
    const declaration = (node.declaration as Node | null | undefined) ?? node;
    if ((declaration.id as Node | undefined)?.name === name) return true;
    if (declaration.type !== "VariableDeclaration") return false;
    return (declaration.declarations as Node[]).some((each) => (each.id as Node).name === name);
  });
}

/** Whether the last statement is an expression without a semicolon, or with one where that counts too. */
function endsWithValue(parsed: ParsedCell, beforeSemicolon: boolean): boolean {
  const last = parsed.body.at(-1);
  return last?.type === "ExpressionStatement" && (beforeSemicolon || parsed.text[last.end - 1] !== ";");
}
