import { parseCell } from "../../compile/parse.ts";
import { eachChild, type Node } from "../../compile/tree.ts";

/** A completion request whose answer depends neither on the position in the cell nor on its text, until the next cell runs. */
export type ContextFreeCompletion =
  /** Members of a notebook's variable. */
  | { member: string }
  /** Names, where a statement may begin or only an expression. */
  | { names: "statement" | "expression" };

/**
 * A completion that does not depend on the cell's text, or undefined. The cell must parse with a word at the cursor.
 * `has`: whether the notebook has a variable.
 */
export function contextFreeCompletion(
  text: string,
  start: number,
  end: number,
  has: (name: string) => boolean,
): ContextFreeCompletion | undefined {
  const whole = start < end ? text : `${text.slice(0, start)}$${text.slice(end)}`;
  const path = pathTo(whole, start);
  const [last, parent] = [path.at(-1), path.at(-2)];
  if (last?.node.type !== "Identifier" || last.node.start !== start || !parent) return undefined;
  if (last.key === "property" && parent.node.type === "MemberExpression") {
    const { object, computed, optional } = parent.node;
    const { type, name } = object as Node;
    if (computed === true || optional === true || type !== "Identifier") return undefined;
    return has(name as string) && occursOnce(name as string, whole) ? { member: name as string } : undefined;
  }
  if (!path.every(isOpen)) return undefined;
  return { names: parent.node.type === "ExpressionStatement" ? "statement" : "expression" };
}

/** The notebook's variable at the cursor, when the cell does not change its type. */
export function contextFreeName(text: string, cursor: number, has: (name: string) => boolean): string | undefined {
  for (const at of [cursor, cursor - 1]) {
    const path = pathTo(text, at);
    const last = path.at(-1);
    if (last?.node.type !== "Identifier") continue;
    const name = last.node.name as string;
    const reads = path.every((step, index) => index < path.length - 2 || isOpen(step, index, path));
    return path.length > 1 && reads && has(name) && occursOnce(name, text) ? name : undefined;
  }
  return undefined;
}

interface Step {
  node: Node;
  /** The key of the node in its parent. */
  key: string;
}

/** The nodes around an offset, the outermost first; none for text that does not parse, or has JSX. */
function pathTo(text: string, at: number): Step[] {
  const { body, diagnostics, language } = parseCell(text);
  if (diagnostics.length > 0 || language === "tsx") return [];
  const path: Step[] = [];
  const around = (node: Node) => node.start <= at && at < node.end;
  const first = body.find(around);
  if (!first) return path;
  for (let step: Step | undefined = { node: first, key: "body" }; step; ) {
    path.push(step);
    let inner: Step | undefined;
    eachChild(step.node, (node, key) => {
      if (around(node)) inner ??= { node, key };
    });
    step = inner;
  }
  return path;
}

const open = new Map(
  Object.entries({
    ExpressionStatement: ["expression"],
    VariableDeclaration: ["declarations"],
    VariableDeclarator: ["init"],
    CallExpression: ["callee", "arguments"],
    NewExpression: ["callee", "arguments"],
    MemberExpression: ["object"],
    BinaryExpression: ["left", "right"],
    UnaryExpression: ["argument"],
    AwaitExpression: ["argument"],
    AssignmentExpression: ["right"],
    ArrayExpression: ["elements"],
    SpreadElement: ["argument"],
    TemplateLiteral: ["expressions"],
    ParenthesizedExpression: ["expression"],
    ReturnStatement: ["argument"],
    Property: ["value"],
  }),
);

/** Whether a child in that place is an expression that is read. */
function reads({ type, shorthand }: Node, key: string): boolean {
  return shorthand !== true && open.get(type)?.includes(key) === true;
}

/** Whether a step leads to an expression that sees what its surroundings see. */
function isOpen({ node, key }: Step, index: number, path: readonly Step[]): boolean {
  const parent = path[index - 1]?.node;
  if (!parent) return node.type !== "Property";
  return reads(parent, key) || parent.type === "ObjectExpression";
}

/** A name that occurs once in the text is neither declared, nor assigned, nor narrowed in it. */
function occursOnce(name: string, text: string): boolean {
  const escaped = name.replaceAll("$", "\\$");
  return text.match(new RegExp(`(?<![\\p{ID_Continue}$])${escaped}(?![\\p{ID_Continue}$])`, "gu"))?.length === 1;
}
