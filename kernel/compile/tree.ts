/** An ESTree node from oxc. Offsets count UTF-16 code units of the parsed text. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** Calls `visit` for each direct child, in unspecified order. */
export function eachChild(node: Node, visit: (child: Node, key: string) => void): void {
  for (const key in node) {
    const value = node[key];
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visit(item, key);
    } else if (isNode(value)) {
      visit(value, key);
    }
  }
}

/** The names that a binding pattern introduces, in source order. */
export function boundNames(pattern: Node, into: string[] = []): string[] {
  switch (pattern.type) {
    case "Identifier":
      into.push(pattern.name as string);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties as Node[])
        boundNames((property.type === "RestElement" ? property.argument : property.value) as Node, into);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements as (Node | null)[]) if (element) boundNames(element, into);
      break;
    case "AssignmentPattern":
      boundNames(pattern.left as Node, into);
      break;
    case "RestElement":
      boundNames(pattern.argument as Node, into);
      break;
  }
  return into;
}
