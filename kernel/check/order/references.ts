import { isLong } from "../../compile/off-thread.ts";
import { parseCell } from "../../compile/parse.ts";
import { isPropertyName } from "../../compile/scan.ts";
import { boundNames, eachChild, type Node } from "../../compile/tree.ts";

/** Which variables of other cells a cell reads, and which it sets for them. */
export interface References {
  /** Names of other cells' variables that it uses as values. */
  reads: Set<string>;
  /** Those of `reads` that it reads as it runs. */
  now: Set<string>;
  /** What the functions in the definition of each of its names read when they are called. */
  later: Map<string, Set<string>>;
  /** Names that it declares, assigns, or whose value it changes in place. */
  writes: Set<string>;
  /** The text of each definition that gives the same value whenever it runs: functions, literals, imports of packages. */
  constant: Map<string, string>;
  /** Names that it imports from packages. */
  imported: Set<string>;
}

/** Of a cell that does not parse, or is too long to be read on this thread. */
const none: References = noReferences();

function noReferences(): References {
  return {
    reads: new Set(),
    now: new Set(),
    later: new Map(),
    writes: new Set(),
    constant: new Map(),
    imported: new Set(),
  };
}

/** The references of a cell in TypeScript. */
export function readReferences(code: string): References {
  if (isLong(code)) return none;
  const { body, text, diagnostics } = parseCell(code);
  try {
    return diagnostics.length > 0 ? none : referencesOf(body, text);
  } catch (error) {
    if (error instanceof RangeError) return none;
    throw error;
  }
}

/** Methods of arrays, maps and sets that change the object. `add` is left out, because a tensor's changes nothing. */
const mutators = /^(?:push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|set|delete|clear)$/;
/** Node types of TypeScript with an expression inside that runs. */
const expressions = /^TS(?:As|Satisfies|NonNull|TypeAssertion|Instantiation)/;

/** Whether the cell uses the global `Deno`. */
export function usesDeno(code: string): boolean {
  return code.includes("Deno.") && readReferences(code).reads.has("Deno");
}

function referencesOf(body: readonly Node[], text: string): References {
  const found = noReferences();
  const top = new Set<string>();
  for (const statement of body) declareIn(statement, top, true);
  for (const statement of body) noteConstants(statement, text, found);
  for (const statement of body) {
    const walker = new Walker(found);
    walker.visit(statement, [top], !/Function/.test(statement.type));
    const names = new Set<string>();
    declareIn(statement, names, false);
    for (const name of names) found.later.set(name, walker.later);
    // No name tells when functions in other statements are called.
    if (names.size === 0) for (const name of walker.later) found.now.add(name);
  }
  addCalled(found.now, [found]);
  for (const name of top) {
    found.reads.delete(name);
    found.now.delete(name);
    found.writes.add(name);
  }
  return found;
}

/** Adds to the names that are read what their functions read, which these cells define. */
export function addCalled(names: Set<string>, cells: readonly References[]): void {
  // A set's loop also comes to the names that it adds.
  for (const name of names) for (const { later } of cells) for (const each of later.get(name) ?? []) names.add(each);
}

class Walker {
  readonly #found: References;
  /** What functions read when they are called. */
  readonly later = new Set<string>();

  constructor(found: References) {
    this.#found = found;
  }

  /** `runs`: whether the node runs with the cell, and not only when a function is called. */
  visit(node: Node, scopes: readonly Set<string>[], runs: boolean): void {
    const { type } = node;
    if (type === "Identifier" || type === "JSXIdentifier") {
      this.#read(node.name as string, scopes, runs);
      return;
    }
    if (isType(node)) return;
    if (type === "AssignmentExpression") this.#write(node.left as Node, scopes, runs);
    else if (type === "UpdateExpression") this.#write(node.argument as Node, scopes, runs);
    else if (type === "UnaryExpression" && node.operator === "delete") this.#write(node.argument as Node, scopes, runs);
    else if (type === "ForOfStatement" || type === "ForInStatement") this.#write(node.left as Node, scopes, runs);
    else if (type === "CallExpression") this.#writeByMethod(node.callee as Node, scopes, runs);
    const inner = scopeOf(node);
    const inside = inner.size > 0 ? [...scopes, inner] : scopes;
    eachChild(node, (child, key) => {
      if (isPropertyName(node, key) || (isBinding(node, key) && child.type === "Identifier")) return;
      if (isAssigned(node, key) && child.type === "Identifier") return;
      const called = type === "CallExpression" || type === "NewExpression";
      this.visit(child, inside, runs && (called || !/Function/.test(child.type)));
    });
  }

  #read(name: string, scopes: readonly Set<string>[], runs: boolean): void {
    if (scopes.slice(1).some((scope) => scope.has(name))) return;
    this.#found.reads.add(name);
    (runs ? this.#found.now : this.later).add(name);
  }

  #write(target: Node, scopes: readonly Set<string>[], runs: boolean): void {
    if (!runs || target.type === "VariableDeclaration") return;
    const root = rootOf(target);
    for (const name of root ? [root] : boundNames(target))
      if (!scopes.some((scope) => scope.has(name))) this.#found.writes.add(name);
  }

  #writeByMethod(callee: Node, scopes: readonly Set<string>[], runs: boolean): void {
    if (callee.type !== "MemberExpression" || callee.computed === true) return;
    if (mutators.test((callee.property as Node).name as string)) this.#write(callee, scopes, runs);
  }
}

/** `x` of `x.a[1].b`; undefined for a target that is no member. */
function rootOf(target: Node): string | undefined {
  let node = target;
  while (node.type === "MemberExpression" || expressions.test(node.type) || node.type === "ChainExpression")
    node = (node.object ?? node.expression) as Node;
  return node !== target && node.type === "Identifier" ? (node.name as string) : undefined;
}

/** Whether the node is a type, or exists for types only. */
function isType({ type, declare }: Node): boolean {
  if (!type.startsWith("TS")) return declare === true;
  return !expressions.test(type) && !/^TS(?:Enum|Module|Export|Parameter)/.test(type);
}

/** Whether the child is a name that the node binds. */
function isBinding({ type, kind }: Node, key: string): boolean {
  if (/^Import/.test(type) || type === "ExportSpecifier") return type !== "ExportSpecifier" || key === "exported";
  if (key === "id") return /^(?:Function|Class|VariableDeclarator|TSEnum|TSModule)/.test(type) && kind !== "global";
  return key === "param" && type === "CatchClause";
}

/** Whether the child is a name that the node sets without reading it. */
function isAssigned({ type, operator }: Node, key: string): boolean {
  return key === "left" && type === "AssignmentExpression" && operator === "=";
}

/** The names that a node declares for what is inside it. */
function scopeOf(node: Node): Set<string> {
  const names = new Set<string>();
  if (/Function/.test(node.type)) {
    for (const each of (node.params as Node[] | undefined) ?? [])
      for (const name of boundNames(plain(each))) names.add(name);
    const id = node.id as Node | null | undefined;
    if (id && node.type === "FunctionExpression") names.add(id.name as string);
    const { body } = node.body as Node & { body?: unknown };
    if (Array.isArray(body)) for (const each of body as Node[]) declareIn(each, names, true);
  } else if (node.type === "ClassExpression" && node.id) names.add((node.id as Node).name as string);
  else if (node.type === "CatchClause" && node.param)
    for (const name of boundNames(node.param as Node)) names.add(name);
  else if (/^For/.test(node.type)) declareIn((node.init ?? node.left) as Node, names, false);
  else if (node.type === "SwitchStatement")
    for (const { consequent } of node.cases as (Node & { consequent: Node[] })[])
      for (const each of consequent) declareIn(each, names, false);
  else if (/^(?:BlockStatement|StaticBlock|TSModuleBlock)$/.test(node.type))
    for (const each of node.body as Node[]) declareIn(each, names, false);
  return names;
}

/** A parameter without its modifiers. */
function plain(parameter: Node): Node {
  return parameter.type === "TSParameterProperty" ? (parameter.parameter as Node) : parameter;
}

/** Adds the values that a statement declares; with `hoists` also `var` of the statements inside it. */
function declareIn(statement: Node | null | undefined, into: Set<string>, hoists: boolean): void {
  if (!statement || statement.importKind === "type" || statement.declare === true) return;
  const { type } = statement;
  const node = /^Export(?:Named|Default)/.test(type)
    ? ((statement.declaration as Node | null) ?? statement)
    : statement;
  if (node.type === "VariableDeclaration")
    for (const each of node.declarations as Node[]) for (const name of boundNames(each.id as Node)) into.add(name);
  else if (/^(?:Function|Class|TSEnum|TSModule)Declaration$/.test(node.type)) {
    const id = node.id as Node | null;
    if (id?.type === "Identifier" && node.kind !== "global") into.add(id.name as string);
  } else if (node.type === "ImportDeclaration") {
    for (const each of node.specifiers as Node[])
      if (each.importKind !== "type") into.add((each.local as Node).name as string);
  } else if (hoists && !/Function|Class|^TS/.test(node.type)) eachChild(node, (child) => hoistVar(child, into));
}

function hoistVar(node: Node, into: Set<string>): void {
  if (/Function|Class|^TS|Expression$/.test(node.type)) return;
  if (node.type === "VariableDeclaration" && node.kind === "var") declareIn(node, into, false);
  else eachChild(node, (child) => hoistVar(child, into));
}

function noteConstants(statement: Node, text: string, into: References): void {
  const node = ((/^Export(?:Named|Default)/.test(statement.type) && statement.declaration) || statement) as Node;
  if (node.type === "FunctionDeclaration" && node.id)
    into.constant.set((node.id as Node).name as string, text.slice(node.start, node.end));
  else if (node.type === "ImportDeclaration" && !/^[./]/.test((node.source as Node).value as string)) {
    for (const each of node.specifiers as Node[]) {
      const inside = each.imported as Node | undefined;
      const what = `${(node.source as Node).value} ${inside?.name ?? inside?.value ?? each.type}`;
      into.constant.set((each.local as Node).name as string, what);
      into.imported.add((each.local as Node).name as string);
    }
  } else if (node.type === "VariableDeclaration")
    for (const each of node.declarations as Node[])
      if ((each.id as Node).type === "Identifier" && isConstant(each.init as Node | null))
        into.constant.set((each.id as Node).name as string, text.slice(each.start, each.end));
}

function isConstant(init: Node | null): boolean {
  if (!init) return false;
  if (init.type === "UnaryExpression") return isConstant(init.argument as Node);
  return /^(?:Literal|ArrowFunctionExpression|FunctionExpression)$/.test(init.type);
}
