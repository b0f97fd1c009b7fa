/** Where in a source a program can stop: at statements, and at calls within them, as V8 does. */
import { positionsIn } from "../compile/diagnostic.ts";
import { eachChild, type Node } from "../compile/tree.ts";
import type { Position } from "./positions.ts";

const statements =
  /^(?:Expression|Return|If|For|ForIn|ForOf|While|DoWhile|Throw|Switch|Break|Continue|Debugger)Statement$/;
/** TypeScript's syntax that leaves code behind. */
const leavesCode =
  /^TS(?:As|Satisfies|NonNull|Instantiation)Expression$|^TSTypeAssertion$|^TS(?:Enum|Module)(?:Declaration|Block|Body|Member)$|^TSExportAssignment$/;

/** The positions of one text, in order. */
export function breakablePositions(text: string, body: readonly Node[]): Position[] {
  const offsets = new Set<number>();
  for (const node of body) collect(node, offsets);
  const place = positionsIn(text);
  return [...offsets].sort((a, b) => a - b).map(place);
}

/** The first position at or after a place; the whole line counts when no column is given. */
export function nextBreakable(
  positions: readonly Position[],
  line: number,
  column: number | undefined,
): Position | undefined {
  return positions.find((each) => each.line > line || (each.line === line && each.column >= (column ?? 1)));
}

function collect(node: Node, into: Set<number>): void {
  if (node.declare === true || (node.type.startsWith("TS") && !leavesCode.test(node.type))) return;
  if (statements.test(node.type) || node.type === "TSEnumDeclaration") into.add(node.start);
  else if (node.type === "VariableDeclaration") addDeclaration(node, into);
  else if (node.type === "ArrowFunctionExpression" && node.expression === true) into.add((node.body as Node).start);
  else if (node.type === "PropertyDefinition" && node.value) into.add((node.value as Node).start);
  else if (node.type === "CallExpression") into.add(calledAt(node.callee as Node));
  else if (node.type === "NewExpression") into.add(node.start);
  else if (node.type === "ImportDeclaration") return;
  eachChild(node, (child) => collect(child, into));
}

function addDeclaration(node: Node, into: Set<number>): void {
  if ((node.declarations as Node[]).some(({ init }) => init)) into.add(node.start);
}

function calledAt(callee: Node): number {
  return callee.type === "MemberExpression" ? (callee.property as Node).start : callee.start;
}
