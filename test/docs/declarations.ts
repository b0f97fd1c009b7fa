import { readFileSync } from "node:fs";
import path from "node:path";
import { parseSync, type Statement, Visitor } from "oxc-parser";

/** A public declaration; a function has one for each overload. */
export interface Declaration {
  name: string;
  /** The declaration file that it stands in. */
  file: string;
  kind: "function" | "class" | "constant" | "type";
  /** The text of the JSDoc comment directly above it, without stars; empty where there is none. */
  docstring: string;
  /** The declaration, and the local types that a constant's type names. */
  code: string;
}

/** All that a module of declarations exports, also what it re-exports from other files. */
export function exportsOf(file: string): Declaration[] {
  const source = readFileSync(file, "utf8");
  const { program, comments } = parseSync(file, source);
  const docstringAt = (start: number): string => {
    const comment = comments.findLast(({ end }) => end <= start);
    const isJsdoc = comment?.value.startsWith("*") && source.slice(comment.end, start).trim() === "";
    return isJsdoc
      ? comment!.value
          .slice(1)
          .replaceAll(/^ *\* ?/gm, "")
          .trim()
      : "";
  };
  const from = (module: string): Declaration[] =>
    exportsOf(path.join(path.dirname(file), module.replace(/\.ts$/, ".d.ts")));
  const byStatement = program.body.map((statement): Declaration[] => {
    const inner = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    const code = source.slice(statement.start, statement.end);
    return declared(inner).map((each) => ({ ...each, file, code, docstring: docstringAt(statement.start) }));
  });
  const local = byStatement.flat();
  for (const each of local.filter(({ kind }) => kind === "constant"))
    for (const { name, code } of local.filter(({ kind }) => kind === "type"))
      if (each.code.includes(`: ${name}`)) each.code += code;
  return program.body.flatMap((statement, i) => {
    if (statement.type === "ExportAllDeclaration") return from(statement.source.value);
    if (statement.type !== "ExportNamedDeclaration") return [];
    if (statement.declaration) return byStatement[i]!;
    const known = statement.source?.value.startsWith(".") ? from(statement.source.value) : local;
    return statement.specifiers.flatMap((specifier) => {
      const [name, as] = [text(specifier.local), text(specifier.exported)];
      const found = known.filter((each) => each.name === name);
      if (found.length > 0) return found.map((each) => ({ ...each, name: as }));
      // A type of another package, with a docstring of its own here.
      return [{ name: as, file, kind: "type" as const, docstring: docstringAt(statement.start), code: "" }];
    });
  });
}

const text = (name: { type: string } & ({ name: string } | { value: string })): string =>
  "name" in name ? name.name : name.value;

function declared(statement: Statement | null): Pick<Declaration, "name" | "kind">[] {
  switch (statement?.type) {
    case "TSDeclareFunction":
    case "FunctionDeclaration":
      return [{ name: statement.id!.name, kind: "function" }];
    case "ClassDeclaration":
      return [{ name: statement.id!.name, kind: "class" }];
    case "VariableDeclaration":
      return statement.declarations.map(({ id }) => ({ name: (id as { name: string }).name, kind: "constant" }));
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return [{ name: statement.id.name, kind: "type" }];
    default:
      return [];
  }
}

/**
 * The classes of the errors that a function of a source file throws: in its own body, in functions of the same file that it
 * calls, and in imported functions whose names begin with `check`.
 */
export function thrownBy(file: string, name: string, seen: Set<string> = new Set()): Set<string> {
  const key = `${file}:${name}`;
  const thrown = new Set<string>();
  if (seen.has(key)) return thrown;
  seen.add(key);
  const { functions, imports } = moduleOf(file);
  const own = functions.get(name);
  for (const error of own?.throws ?? []) thrown.add(error);
  for (const called of own?.calls ?? []) {
    const module = imports.get(called);
    const other =
      module && called.startsWith("check") && !EVERYWHERE.has(called) ? path.join(path.dirname(file), module) : file;
    for (const error of thrownBy(other, called, seen)) thrown.add(error);
  }
  return thrown;
}

/** Every function over tensors begins with it; `Tensor` documents what it throws. */
const EVERYWHERE = new Set(["checkTensor"]);

interface Module {
  functions: Map<string, { throws: string[]; calls: string[] }>;
  /** The module that an imported name comes from. */
  imports: Map<string, string>;
}

const modules = new Map<string, Module>();

function moduleOf(file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const made: Module = { functions: new Map(), imports: new Map() };
  modules.set(file, made);
  for (const statement of parseSync(file, readFileSync(file, "utf8")).program.body) {
    if (statement.type === "ImportDeclaration")
      for (const { local } of statement.specifiers) made.imports.set(local.name, statement.source.value);
    const inner = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    for (const { name } of declared(inner)) {
      const body = { throws: [] as string[], calls: [] as string[] };
      new Visitor({
        ThrowStatement({ argument }) {
          if (argument.type === "NewExpression" && argument.callee.type === "Identifier")
            body.throws.push(argument.callee.name);
        },
        CallExpression({ callee }) {
          if (callee.type === "Identifier") body.calls.push(callee.name);
        },
      }).visit({ ...parseSync(file, "").program, body: [statement] });
      made.functions.set(name, body);
    }
  }
  return made;
}
