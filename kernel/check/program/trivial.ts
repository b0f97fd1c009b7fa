import type { Node } from "../../compile/tree.ts";

/**
 * Whether a cell cannot have a type error, so that the server need not check it. Such a cell has only literals, arithmetic
 * on numbers, variables initialized with these, and `console.log` of these.
 */
export function isTrivial(body: readonly Node[]): boolean {
  return body.every((node) => {
    if (node.type === "ExpressionStatement") return isPlain(node.expression as Node) || isLog(node.expression as Node);
    if (node.type !== "VariableDeclaration") return node.type === "EmptyStatement";
    return (node.declarations as Node[]).every((each) => {
      const id = each.id as Node;
      return id.type === "Identifier" && id.typeAnnotation == null && each.init != null && isPlain(each.init as Node);
    });
  });
}

function isPlain(node: Node): boolean {
  if (node.type === "Literal") return true;
  if (node.type === "TemplateLiteral") return (node.expressions as Node[]).length === 0;
  return isNumber(node);
}

function isNumber(node: Node): boolean {
  if (node.type === "Literal") return typeof node.value === "number";
  if (node.type === "UnaryExpression") return node.operator === "-" && isNumber(node.argument as Node);
  if (node.type === "ParenthesizedExpression") return isNumber(node.expression as Node);
  if (node.type !== "BinaryExpression" || !/^(?:\+|-|\*|\/|%|\*\*)$/.test(node.operator as string)) return false;
  return isNumber(node.left as Node) && isNumber(node.right as Node);
}

function isLog(node: Node): boolean {
  if (node.type !== "CallExpression" || node.optional === true) return false;
  const { type, object, property } = node.callee as Node & { object?: Node; property?: Node };
  if (type !== "MemberExpression" || object?.name !== "console" || property?.name !== "log") return false;
  return (node.arguments as Node[]).every(isPlain);
}
