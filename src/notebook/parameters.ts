import { parseSync } from "oxc-parser";
import { readMagics } from "../../kernel/magics/rewrite.ts";
import { UserError } from "../base/user-error.ts";
import { brokenJson } from "./json-place.ts";
import { type Cell, type CodeCell, type Notebook, newCellId } from "./nbformat.ts";
import { literalValue, parseJsonValue, parseParameter, sourceOf } from "./parameter-values.ts";
import { readTextFile } from "./read-text.ts";

/** papermill's conventions: a cell tagged `parameters` holds the defaults, and a cell after it tagged `injected-parameters` holds the run's values. */

export type Parameters = Record<string, unknown>;

interface Declaration {
  kind: "const" | "let" | "var";
  /** The type annotation, for instance `: number`, or an empty text. */
  annotation: string;
  /** The default, if it is a plain literal. */
  value: unknown;
}

/** Adds a cell with the parameters `given` after the parameters cell, or replaces the cell of an earlier run. */
export function injectParameters(notebook: Notebook, given: Parameters, name: string): void {
  if (Object.keys(given).length === 0) return;
  const defaults = parametersCell(notebook);
  if (!defaults) {
    throw new UserError(
      `${name} takes no parameters: no code cell has the tag "parameters". Tag the cell that declares ${Object.keys(given).join(", ")}.`,
    );
  }
  const declared = declarations(defaults.source);
  for (const parameter of Object.keys(given)) {
    if (!declared.has(parameter)) throw unknownParameter(parameter, [...declared.keys()], name);
  }
  const lines = Object.entries(given).map(([parameter, value]) => {
    const { kind, annotation } = declared.get(parameter)!;
    return `${kind} ${parameter}${annotation} = ${sourceOf(value)};`;
  });
  const cell: CodeCell = {
    cell_type: "code",
    id: newCellId(),
    metadata: { tags: ["injected-parameters"] },
    source: ["// Parameters", ...lines].join("\n"),
    execution_count: null,
    outputs: [],
  };
  const earlier = notebook.cells.findIndex((each) => hasTag(each, "injected-parameters"));
  if (earlier < 0) notebook.cells.splice(notebook.cells.indexOf(defaults) + 1, 0, cell);
  else notebook.cells[earlier] = { ...cell, id: notebook.cells[earlier]!.id };
}

/** Parameters as given on the command line. */
export interface GivenParameters {
  /** `name=value`, the value read as a number, true, false, null, JSON or text. */
  parameter?: string[];
  /** `name=text`. */
  raw?: string[];
  /** A JSON file with one object. */
  parametersFile?: string;
}

/** Combines the options; `-p` and `-r` override the file. */
export function givenParameters({ parameter = [], raw = [], parametersFile }: GivenParameters): Parameters {
  return {
    ...(parametersFile === undefined ? {} : fileParameters(parametersFile)),
    ...Object.fromEntries(
      parameter.map((text) => pair("-p", text)).map(([name, text]) => [name, parseParameter(name, text)]),
    ),
    ...Object.fromEntries(raw.map((text) => pair("-r", text))),
  };
}

/**
 * Selects from `given`, for each notebook, the parameters that it declares.
 * @throws UserError if no notebook declares one of them
 */
export function parametersFor(notebooks: { input: string; notebook: Notebook }[], given: Parameters): Parameters[] {
  if (notebooks.length === 1) return [given];
  const names = notebooks.map(({ notebook }) => [...declarations(parametersCell(notebook)?.source ?? "").keys()]);
  for (const name of Object.keys(given)) {
    const known = [...new Set(names.flat())];
    if (!known.includes(name)) throw unknownParameter(name, known, "The folder");
  }
  return names.map((known) => Object.fromEntries(Object.entries(given).filter(([name]) => known.includes(name))));
}

/** The effective values: defaults that are plain literals, overridden by the injected cell. */
export function parameterValues(notebook: Notebook): Parameters {
  const values: Parameters = {};
  for (const tag of ["parameters", "injected-parameters"]) {
    const cell = notebook.cells.find((each) => each.cell_type === "code" && hasTag(each, tag));
    for (const [name, { value }] of cell ? declarations(cell.source) : []) {
      if (value !== undefined) values[name] = value;
    }
  }
  return values;
}

export function hasTag(cell: { metadata: Record<string, unknown> }, tag: string): boolean {
  return Array.isArray(cell.metadata.tags) && cell.metadata.tags.includes(tag);
}

function parametersCell(notebook: Notebook): Cell | undefined {
  return notebook.cells.find((cell) => cell.cell_type === "code" && hasTag(cell, "parameters"));
}

/** Splits an option's `name=text`. @throws UserError if it has no name or no `=` */
export function pair(flag: string, text: string): [string, string] {
  const [, name, value] = /^([^=\s]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UserError(`${flag} ${text}: write it as ${flag} name=value.`);
  return [name, value];
}

function fileParameters(file: string): Parameters {
  const text = readTextFile(file, { option: "-f", wanted: "a JSON file of parameters" });
  let value: unknown;
  try {
    value = parseJsonValue(text.replace(/^\uFEFF/, ""), `-f ${file}`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const hint = /\.ya?ml$/i.test(file) ? " YAML is not supported." : "";
    throw new UserError(`-f ${file} ${brokenJson(text)}${hint} It should hold one JSON object, {"name": value, ...}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Parameters;
  throw new UserError(`-f ${file} should hold one JSON object, {"name": value, ...}.`);
}

function declarations(cell: string): Map<string, Declaration> {
  const source = readMagics(cell).code;
  const found = new Map<string, Declaration>();
  for (const statement of parseSync("cell.ts", source).program.body) {
    if (statement.type !== "VariableDeclaration") continue;
    const kind = statement.kind === "let" || statement.kind === "var" ? statement.kind : "const";
    for (const { id, init } of statement.declarations) {
      if (id.type !== "Identifier") continue;
      const type = id.typeAnnotation;
      const annotation = type ? source.slice(type.start, type.end) : "";
      found.set(id.name, {
        kind,
        annotation,
        value: init ? literalValue(source.slice(init.start, init.end)) : undefined,
      });
    }
  }
  return found;
}

function unknownParameter(name: string, known: string[], notebook: string): UserError {
  if (known.length === 0)
    return new UserError(`${notebook} has no parameter "${name}": no parameters cell declares any.`);
  const closest = known.map((each) => ({ each, edits: distance(name, each) })).sort((a, b) => a.edits - b.edits)[0]!;
  const hint = closest.edits <= Math.max(2, name.length / 3) ? ` Did you mean "${closest.each}"?` : "";
  return new UserError(`${notebook} has no parameter "${name}".${hint} It has: ${known.join(", ")}.`);
}

/** The Levenshtein distance, ignoring case. */
function distance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase(), to.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
