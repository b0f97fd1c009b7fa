import { eachChild, type Node } from "./tree.ts";

/** The result of one walk over a cell's tree. */
export interface Scan {
  /** Whether the cell has syntax that V8 does not run: types, JSX, enum, namespace, decorators, `using`. */
  needsTransform: boolean;
  hasDecorators: boolean;
  /** Whether a class has fields. V8 defines them; a tsconfig.json may require that they are assigned instead. */
  hasFields: boolean;
  hasJsx: boolean;
  /** Namespaces by name, and whether one has several parts. Each part sees the exports of the others. */
  namespaces: Set<string>;
  mergesNamespaces: boolean;
  /** Whether it awaits outside functions. */
  awaits: boolean;
  /** Names read, written or called as values. Shadowing is ignored, because a superfluous name does no harm. */
  values: Set<string>;
  /** Names used in types. */
  types: Set<string>;
}

/** Node types that begin with TS but exist at run time. Their children that are types begin with TS too. */
const running = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSEnumDeclaration",
  "TSEnumBody",
  "TSEnumMember",
  "TSModuleDeclaration",
  "TSModuleBlock",
  "TSParameterProperty",
  "TSExportAssignment",
  "TSImportEqualsDeclaration",
  "TSExternalModuleReference",
  "TSQualifiedName",
]);

const onlyTypescript = [
  "accessibility",
  "abstract",
  "declare",
  "definite",
  "optional",
  "override",
  "readonly",
] as const;

export function scan(body: Node[]): Scan {
  const found: Scan = {
    needsTransform: false,
    hasDecorators: false,
    hasFields: false,
    hasJsx: false,
    namespaces: new Set(),
    mergesNamespaces: false,
    awaits: false,
    values: new Set(),
    types: new Set(),
  };
  for (const statement of body) walk(statement, false, false, found);
  return found;
}

function walk(node: Node, inType: boolean, inFunction: boolean, found: Scan): void {
  const { type } = node;
  if (!inFunction) found.awaits ||= awaits(node);
  if (type === "Identifier" || type === "JSXIdentifier") {
    (inType ? found.types : found.values).add(node.name as string);
  } else if (type.startsWith("TS")) {
    found.needsTransform = true;
    if (!running.has(type) || node.declare === true) inType = true;
  } else if (type.startsWith("JSX")) {
    found.needsTransform = true;
    found.hasJsx = true;
  }
  if (!found.needsTransform) found.needsTransform = isTypescriptVariant(node);
  if (type === "TSModuleDeclaration" && node.declare !== true) {
    const { name } = node.id as Node;
    if (found.namespaces.has(name as string)) found.mergesNamespaces = true;
    found.namespaces.add(name as string);
  }
  if (Array.isArray(node.decorators) && node.decorators.length > 0) {
    found.needsTransform = true;
    found.hasDecorators = true;
  }
  if (type === "AccessorProperty") {
    found.needsTransform = true;
    found.hasDecorators = true;
  }
  if (type === "PropertyDefinition") found.hasFields = true;
  if (type === "ImportDeclaration") return;
  const inside = inFunction || /Function/.test(type);
  eachChild(node, (child, key) => {
    if (isPropertyName(node, key)) return;
    walk(child, inType || key === "implements", inside, found);
  });
}

function awaits(node: Node): boolean {
  if (node.type === "AwaitExpression") return true;
  if (node.type === "ForOfStatement") return node.await === true;
  return node.type === "VariableDeclaration" && node.kind === "await using";
}

function isTypescriptVariant(node: Node): boolean {
  if (node.type === "VariableDeclaration") {
    const kind = node.kind as string;
    if (kind.endsWith("using")) return true;
  }
  if (node.importKind === "type" || node.exportKind === "type") return true;
  if (Array.isArray(node.specifiers)) {
    for (const specifier of node.specifiers as Node[])
      if (specifier.importKind === "type" || specifier.exportKind === "type") return true;
  }
  if (Array.isArray(node.implements) && node.implements.length > 0) return true;
  // An optional chain also has `optional`, but is JavaScript.
  if (node.type === "MemberExpression" || node.type === "CallExpression") return false;
  for (const flag of onlyTypescript) if (node[flag]) return true;
  return false;
}

/** Whether the child is a property's name, as in `a.name` and `{ name: 1 }`, and refers to no variable. */
export function isPropertyName(parent: Node, key: string): boolean {
  if (parent.computed === true) return false;
  switch (parent.type) {
    case "MemberExpression":
    case "JSXMemberExpression":
      return key === "property";
    case "Property":
      return key === "key" && parent.shorthand !== true;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return key === "key";
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return key === "label";
    case "JSXAttribute":
      return key === "name";
    case "ExportSpecifier":
      return key === "exported";
    case "MetaProperty":
      return true;
    default:
      return false;
  }
}
