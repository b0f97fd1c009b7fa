/** Questions about the syntax around a position in a script, whoever wrote it. */
import { parseSync } from "oxc-parser";
import { nestedTooDeeply } from "../compile/nesting.ts";
import { eachChild, type Node } from "../compile/tree.ts";

/** The innermost function that contains the position. */
export function functionAt(text: string, offset: number): Node | undefined {
  return around(text, offset).findLast(isFunction);
}

/** Whether the position is in an async generator itself, not in a function within one. */
export function isAsyncGeneratorAt(text: string, offset: number): boolean {
  const found = functionAt(text, offset);
  return found?.async === true && found.generator === true;
}

/**
 * Whether an exception thrown at this position is caught in the same function: by a `try` with `catch`, or, for the rejection of a
 * promise that the code there makes or awaits, by `.catch()`, `.then()` with two functions, or `Promise.allSettled()`.
 */
export function isCaughtAt(text: string, offset: number, isRejection: boolean): boolean {
  const path = around(text, offset);
  const last = path.at(-1);
  if (isRejection && last && isHandledBefore(last)) return true;
  for (let at = path.length - 1; at >= 0; at--) {
    const node = path[at]!;
    if (isFunction(node)) return false;
    if (node.type === "TryStatement" && node.handler && path[at + 1] === node.block) return true;
    if (isRejection && node.type === "CallExpression" && handles(node, path[at + 1], path[at + 2])) return true;
  }
  return false;
}

/** Whether this call handles the rejection of a promise that stands within it: `inner` is its child on the way, then `next`. */
function handles(call: Node, inner: Node | undefined, next: Node | undefined): boolean {
  const callee = call.callee as Node;
  if (calledName(call) === "allSettled") return inner !== callee;
  return inner === callee && next === callee.object && takesRejection(call);
}

function takesRejection(call: Node): boolean {
  const count = (call.arguments as Node[]).length;
  const name = calledName(call);
  return (name === "catch" && count > 0) || (name === "then" && count > 1);
}

/** Whether what an expression awaits is a promise whose rejection a call of its own chain handles. */
function isHandledBefore(node: Node): boolean {
  if (node.type === "AwaitExpression") return isHandledBefore(node.argument as Node);
  if (node.type === "ParenthesizedExpression") return isHandledBefore(node.expression as Node);
  if (node.type !== "CallExpression") return false;
  const name = calledName(node);
  // The host's calls around what a cell awaits.
  if (name === "awaited" || name === "waits") {
    const awaited = (node.arguments as Node[]).at(-1);
    return awaited !== undefined && isHandledBefore(awaited);
  }
  if (!/^(?:then|catch|finally)$/.test(name)) return false;
  return takesRejection(node) || isHandledBefore((node.callee as Node).object as Node);
}

/** The name of the method that is called; empty for another call. */
function calledName({ callee }: Node): string {
  const { type, computed, property } = callee as Node;
  return type === "MemberExpression" && computed === false ? String((property as Node).name) : "";
}

/** Whether the position is in an async function itself. */
export function isAsyncAt(text: string, offset: number): boolean {
  return functionAt(text, offset)?.async === true;
}

function isFunction({ type }: Node): boolean {
  return /^(?:ArrowFunction|Function)(?:Expression|Declaration)$/.test(type);
}

/** The nodes around a position, outermost first. */
function around(text: string, offset: number): Node[] {
  const path: Node[] = [];
  const enter = (node: Node): void => {
    path.push(node);
    let inner: Node | undefined;
    eachChild(node, (child) => {
      if (child.start <= offset && offset < child.end && (!inner || child.start > inner.start)) inner = child;
    });
    if (inner) enter(inner);
  };
  for (const node of treeOf(text)) if (node.start <= offset && offset < node.end) enter(node);
  return path;
}

/** The trees of the scripts that were asked about last. */
const trees = new Map<string, Node[]>();
const mostTrees = 50;

function treeOf(text: string): Node[] {
  let body = trees.get(text);
  if (!body) {
    body = read(text);
    if (trees.size >= mostTrees) trees.delete(trees.keys().next().value as string);
    trees.set(text, body);
  }
  return body;
}

function read(text: string): Node[] {
  if (nestedTooDeeply(text)) return [];
  for (const sourceType of ["module", "script", "commonjs"] as const) {
    const { program, errors } = parseSync("script.js", text, { lang: "js", sourceType });
    if (errors.length === 0) return program.body as unknown as Node[];
  }
  return [];
}
