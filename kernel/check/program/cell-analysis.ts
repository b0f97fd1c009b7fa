import { isPropertyName } from "../../compile/scan.ts";
import { boundNames, eachChild, type Node } from "../../compile/tree.ts";

/** The kind of a declaration. */
export type Kind = "const" | "let" | "var" | "function" | "class" | "enum" | "namespace" | "type" | "import";

export interface Declared {
  kind: Kind;
  /** Whether the name is a value, and whether it is a type or a namespace of types. Two declarations may make it both. */
  value: boolean;
  type: boolean;
  /** Whether it is a variable without a type whose value is absent or an empty array. Assignments then extend its type. */
  evolving: boolean;
  /** Whether TypeScript must infer the variable's type from an expression that is not a literal or function. */
  inferred: boolean;
  /** For an import: its module and the name of the export. */
  from?: string;
  /** Offset of the name where it was first declared. */
  at: number;
}

/** The facts about a cell that determine which types later cells see. */
export interface CellAnalysis {
  declared: Map<string, Declared>;
  /** Every name in the text that may mean a variable or a type. */
  used: Set<string>;
  /** Names assigned anywhere in the cell. */
  assigned: Set<string>;
  /** Names whose type may be narrower after the cell than before: assigned, tested or asserted outside functions. */
  touched: Set<string>;
  /** What it augments: the global scope or modules, and each name or member declared there (`global`, `global Array.sum`). */
  augments: Set<string>;
  /** The positions of those declarations. */
  augmentations: { start: number; end: number }[];
  /** Names that the cell itself exports. */
  exported: Set<string>;
  /** Specifiers of its import and export statements, in order. */
  modules: string[];
  /** Whether it needs its own file, because it has statements that a namespace does not allow. */
  ownFile: boolean;
  /** The positions of expressions that are awaited outside functions. */
  awaited: { start: number; end: number }[];
}

export function emptyAnalysis(): CellAnalysis {
  return {
    declared: new Map(),
    used: new Set(),
    assigned: new Set(),
    touched: new Set(),
    augments: new Set(),
    augmentations: [],
    exported: new Set(),
    modules: [],
    ownFile: false,
    awaited: [],
  };
}

export function analyzeCell(body: Node[]): CellAnalysis {
  const facts = emptyAnalysis();
  for (const statement of body) {
    if (/^(?:Import|Export|TSImport|TSExport|TSNamespaceExport)/.test(statement.type)) facts.ownFile = true;
    if (statement.source) facts.modules.push((statement.source as Node).value as string);
    readStatement(statement, facts, false);
  }
  for (const statement of body) walk(statement, facts, true, false);
  return facts;
}

function readStatement(node: Node, facts: CellAnalysis, exported: boolean): void {
  const name = (node.id as Node | null | undefined)?.name as string | undefined;
  const add = (kind: Kind, value: boolean, type: boolean) => {
    if (name !== undefined)
      declare(facts, name, { kind, value, type, evolving: false, inferred: false, at: (node.id as Node).start });
    if (exported && name !== undefined) facts.exported.add(name);
  };
  switch (node.type) {
    case "ImportDeclaration":
      for (const specifier of node.specifiers as Node[]) {
        const local = specifier.local as Node;
        const value = node.importKind !== "type" && specifier.importKind !== "type";
        const inside = specifier.imported as Node | undefined;
        declare(facts, local.name as string, {
          kind: "import",
          value,
          type: true,
          evolving: false,
          inferred: false,
          from: `${(node.source as Node).value} ${inside?.name ?? inside?.value ?? specifier.type} ${value}`,
          at: local.start,
        });
      }
      break;
    case "TSImportEqualsDeclaration":
      add("import", node.importKind !== "type", true);
      break;
    case "VariableDeclaration":
      readVariables(node, facts, exported);
      break;
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      add("function", true, false);
      break;
    case "ClassDeclaration":
      add("class", true, true);
      break;
    case "TSEnumDeclaration":
      add("enum", true, true);
      break;
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      add("type", false, true);
      break;
    case "TSModuleDeclaration":
      if (node.kind === "global" || (node.id as Node).type === "Literal") readAugmentation(node, facts);
      else declareNamespace(node, facts, exported);
      break;
    case "ExportNamedDeclaration":
      if (node.declaration) readStatement(node.declaration as Node, facts, true);
      for (const each of (node.specifiers as Node[] | undefined) ?? []) {
        const outside = each.exported as Node;
        facts.exported.add((outside.name ?? outside.value) as string);
      }
      break;
    case "ExportDefaultDeclaration":
      readStatement(node.declaration as Node, facts, false);
      break;
  }
}

function declare(facts: CellAnalysis, name: string, declared: Declared): void {
  const before = facts.declared.get(name);
  if (!before) facts.declared.set(name, declared);
  else {
    const kind = before.value || !declared.value ? before.kind : declared.kind;
    const value = before.value || declared.value;
    facts.declared.set(name, { ...before, kind, value, type: before.type || declared.type });
  }
}

function readVariables(node: Node, facts: CellAnalysis, exported: boolean): void {
  const kind = (node.kind === "let" || node.kind === "var" ? node.kind : "const") as Kind;
  for (const each of node.declarations as Node[]) {
    const pattern = each.id as Node;
    const init = each.init as Node | null;
    const hasType = pattern.typeAnnotation != null;
    const evolving = pattern.type === "Identifier" && !hasType && node.declare !== true && isEmptyValue(init);
    const inferred = pattern.type === "Identifier" && !hasType && init != null && !evolving && !plain.test(init.type);
    for (const name of boundNames(pattern)) {
      declare(facts, name, { kind, value: true, type: false, evolving, inferred, at: pattern.start });
      if (exported) facts.exported.add(name);
      if (evolving || (hasType && init) || (init && !settled.test(init.type))) facts.touched.add(name);
    }
  }
}

const plain = /^(?:Literal|TemplateLiteral|ArrowFunctionExpression|FunctionExpression|ClassExpression|TSAs)/;

/** Values that are never null or undefined, so no later cell needs to know how their type is narrowed. */
const settled =
  /^(Literal|TemplateLiteral|Arrow|FunctionExpression|ClassExpression|ObjectExpression|NewExpression|ArrayExpression|BinaryExpression)/;

function isEmptyValue(init: Node | null): boolean {
  if (!init) return true;
  if (init.type === "Literal") return init.value === null && init.raw === "null";
  if (init.type === "Identifier") return init.name === "undefined";
  return init.type === "ArrayExpression" && (init.elements as unknown[]).length === 0;
}

/** `namespace A.B {}` declares A. */
function declareNamespace(node: Node, facts: CellAnalysis, exported: boolean): void {
  let id = node.id as Node;
  while (id.type === "TSQualifiedName") id = id.left as Node;
  const name = id.name as string;
  declare(facts, name, {
    kind: "namespace",
    value: !onlyTypes(node),
    type: true,
    evolving: false,
    inferred: false,
    at: id.start,
  });
  if (exported) facts.exported.add(name);
}

/** Whether a namespace declares only types. */
function onlyTypes(node: Node): boolean {
  const body = node.body as Node | null;
  if (body?.type === "TSModuleDeclaration") return onlyTypes(body);
  return ((body?.body as Node[] | undefined) ?? []).every((statement) => {
    const inner = (statement.declaration as Node | null | undefined) ?? statement;
    if (inner.type === "TSModuleDeclaration") return onlyTypes(inner);
    return inner.type === "TSInterfaceDeclaration" || inner.type === "TSTypeAliasDeclaration";
  });
}

function readAugmentation(node: Node, facts: CellAnalysis): void {
  const where = node.kind === "global" ? "global" : String((node.id as Node).value);
  const inside = ((node.body as Node | null)?.body as Node[] | undefined) ?? [];
  facts.augments.add(where);
  facts.ownFile = true;
  facts.augmentations.push({ start: node.start, end: node.end });
  for (const statement of inside) {
    const inner = (statement.declaration as Node | null | undefined) ?? statement;
    if (inner.type === "VariableDeclaration") {
      for (const each of inner.declarations as Node[])
        for (const name of boundNames(each.id as Node)) facts.augments.add(`${where} ${name}`);
    }
    const name = (inner.id as Node | null | undefined)?.name as string | undefined;
    if (name === undefined) continue;
    const members = (inner.body as Node | null)?.body;
    if (inner.type === "TSInterfaceDeclaration" && Array.isArray(members)) {
      for (const member of members as Node[]) {
        const key = member.key as Node | undefined;
        facts.augments.add(`${where} ${name}.${key?.name ?? key?.value ?? member.type}`);
      }
    } else facts.augments.add(`${where} ${name}`);
  }
}

/** `top` is true outside functions, `tested` when the node is part of a condition. */
function walk(node: Node, facts: CellAnalysis, top: boolean, tested: boolean): void {
  const { type } = node;
  if (type === "Identifier" || type === "JSXIdentifier") {
    facts.used.add(node.name as string);
    if (top && tested) facts.touched.add(node.name as string);
    // A parameter's type is inside its identifier.
    if (node.typeAnnotation) walk(node.typeAnnotation as Node, facts, top, false);
    return;
  }
  if (top && type === "AwaitExpression") facts.awaited.push(placeOf(node.argument as Node));
  if (type === "AssignmentExpression") assign(node.left as Node, facts, top);
  else if (type === "UpdateExpression") assign(node.argument as Node, facts, top);
  else if (type === "ForOfStatement" || type === "ForInStatement") assign(node.left as Node, facts, top);
  const inner = top && !/Function|^StaticBlock$|^PropertyDefinition$/.test(type);
  const asserts = type === "ExpressionStatement" && mayAssert(node.expression as Node);
  eachChild(node, (child, key) => {
    if (isNotReference(node, key)) return;
    const decides = key === "test" || key === "discriminant" || asserts || type === "LogicalExpression";
    walk(child, facts, inner, decides || (tested && !type.endsWith("Statement")));
  });
}

function placeOf({ start, end }: Node): { start: number; end: number } {
  return { start, end };
}

function mayAssert(expression: Node): boolean {
  const call = expression.type === "AwaitExpression" ? (expression.argument as Node) : expression;
  return call.type === "CallExpression";
}

function assign(target: Node, facts: CellAnalysis, top: boolean): void {
  if (target.type === "VariableDeclaration") return;
  const bare = target.type.startsWith("TS") ? (target.expression as Node | undefined) : target;
  if (!bare) return;
  for (const name of boundNames(bare)) {
    facts.assigned.add(name);
    if (top) facts.touched.add(name);
  }
}

/** Whether a child refers to no variable or type: a property's name, a type's member, or a name in an import or re-export. */
function isNotReference(parent: Node, key: string): boolean {
  if (isPropertyName(parent, key)) return true;
  switch (parent.type) {
    case "TSPropertySignature":
    case "TSMethodSignature":
      return key === "key" && parent.computed !== true;
    case "TSQualifiedName":
      return key === "right";
    case "TSEnumMember":
      return key === "id";
    case "ImportDeclaration":
      return true;
    case "ExportNamedDeclaration":
      return key === "specifiers" && parent.source != null;
    default:
      return false;
  }
}

const word = /[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
const declaration =
  /\b(?:const|let|var|function\*?|class|enum|interface|type|namespace|import(?:\s+type)?(?:\s+\*\s+as)?)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu;

/** Guesses which names a text that does not parse uses and declares. */
export function guessAnalysis(text: string): CellAnalysis {
  const facts = emptyAnalysis();
  const { used, declared } = facts;
  for (const [name] of text.matchAll(word)) used.add(name);
  for (const { 1: name, index } of text.matchAll(declaration))
    declared.set(name!, { kind: "let", value: true, type: true, evolving: false, inferred: false, at: index });
  for (const { 1: names } of text.matchAll(/\bimport\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]{0,5000})\}/g))
    for (const each of names!.split(",")) {
      const local = each.trim().split(/\s+/).at(-1);
      if (local)
        declared.set(local, { kind: "import", value: true, type: true, evolving: false, inferred: false, at: 0 });
    }
  return facts;
}
