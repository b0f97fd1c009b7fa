import type { CellImport, ImportedName } from "../protocol/imports.ts";
import { positionAt } from "./diagnostic.ts";
import type { Scan } from "./scan.ts";
import type { Node } from "./tree.ts";

/** Imports that have not been loaded, because so far they were used only as types. A later cell may use them as values. */
export type DeferredImports = ReadonlyMap<string, CellImport>;

/** Splits an import statement into the import to load now and the imports that so far are used only as types. */
export function readImport(node: Node, text: string, uses: Scan): { now?: CellImport; later: CellImport[] } {
  if (node.importKind === "type") return { later: [] };
  const specifier = (node.source as Node).value as string;
  const attributes = readAttributes(node, text);
  const { line, column } = positionAt(text, node.start);
  const at: [number, number] = [line, column];
  const base = { specifier, at, ...(attributes === undefined ? {} : { attributes }) };
  const specifiers = node.specifiers as Node[];
  const names: ImportedName[] = [];
  const later: CellImport[] = [];
  for (const each of specifiers) {
    if (each.importKind === "type") continue;
    const name = { local: (each.local as Node).name as string, imported: importedName(each) };
    const onlyType = uses.types.has(name.local) && !uses.values.has(name.local);
    if (onlyType) later.push({ ...base, names: [name] });
    else names.push(name);
  }
  const sideEffectOnly = specifiers.length === 0;
  return sideEffectOnly || names.length > 0 ? { now: { ...base, names }, later } : { later };
}

function importedName(specifier: Node): string {
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  const imported = specifier.imported as Node;
  return (imported.name ?? imported.value) as string;
}

function readAttributes(node: Node, text: string): string | undefined {
  const attributes = node.attributes as Node[] | undefined;
  if (!attributes?.length) return undefined;
  return `{${attributes.map((each) => text.slice(each.start, each.end)).join(",")}}`;
}

/**
 * Returns the statement that loads an import and assigns its names, which are already declared. The names in `used` must
 * exist in the module, because the cell uses them as values. The others may be types.
 */
export function importStatement(each: CellImport, host: string, cell: number, used: ReadonlySet<string>): string {
  const whole = each.names.filter((name) => name.imported === "*");
  const named = each.names.filter((name) => name.imported !== "*");
  const request = JSON.stringify({
    specifier: each.specifier,
    names: named.map((name) => [name.imported, name.local, used.has(name.local)]),
    at: each.at,
  });
  const attributes = each.attributes === undefined ? "" : `,${each.attributes}`;
  const call = `${host}.awaited(await ${host}.load(${cell},${request}${attributes}))`;
  if (each.names.length === 0) return `${call};`;
  const pattern = `{${named.map((name) => `${JSON.stringify(name.imported)}:${name.local}`).join(",")}}`;
  const targets = whole.map((name) => `${name.local}=`).join("") + (named.length > 0 ? `${pattern}=` : "");
  return `void(${targets}${call});`;
}
