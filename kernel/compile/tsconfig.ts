import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parseSync } from "oxc-parser";
import type { Node } from "./tree.ts";

/** What of a tsconfig.json changes how code runs. */
export interface RunOptions {
  legacyDecorators?: boolean;
  emitDecoratorMetadata?: boolean;
  jsxImportSource?: string;
  /** `compilerOptions.paths` with absolute targets; `*` stands in both. */
  paths?: [pattern: string, targets: string[]][];
}

const cache = new Map<string, { stamp: number; options: RunOptions }>();

/** Options of the nearest tsconfig.json at or above `folder`; none when there is none or it cannot be read. */
export function runOptions(folder: string): RunOptions {
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, "tsconfig.json");
    const stamp = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (stamp !== undefined) {
      const known = cache.get(file);
      if (known?.stamp === stamp) return known.options;
      const options = readOptions(file, 0);
      cache.set(file, { stamp, options });
      return options;
    }
    if (path.dirname(at) === at) return {};
  }
}

interface Tsconfig {
  extends?: string | string[];
  compilerOptions?: {
    experimentalDecorators?: boolean;
    emitDecoratorMetadata?: boolean;
    jsxImportSource?: string;
    baseUrl?: string;
    paths?: Record<string, string[]>;
  };
}

const deepestExtends = 8;

function readOptions(file: string, depth: number): RunOptions {
  const config = readJsonWithComments(file) as Tsconfig | undefined;
  if (typeof config !== "object" || config === null) return {};
  let options: RunOptions = {};
  const bases = config.extends === undefined ? [] : [config.extends].flat();
  for (const base of bases)
    if (base.startsWith(".") && depth < deepestExtends) {
      const target = path.resolve(path.dirname(file), base);
      options = { ...options, ...readOptions(target.endsWith(".json") ? target : `${target}.json`, depth + 1) };
    }
  const own = config.compilerOptions ?? {};
  if (own.experimentalDecorators !== undefined) options.legacyDecorators = own.experimentalDecorators;
  if (own.emitDecoratorMetadata !== undefined) options.emitDecoratorMetadata = own.emitDecoratorMetadata;
  if (own.jsxImportSource !== undefined) options.jsxImportSource = own.jsxImportSource;
  if (own.paths) {
    const base = path.resolve(path.dirname(file), own.baseUrl ?? ".");
    options.paths = Object.entries(own.paths).map(([pattern, targets]) => [
      pattern,
      targets.map((target) => path.resolve(base, target)),
    ]);
  }
  return options;
}

/** JSON with comments and trailing commas is a JavaScript expression: the parser reads it. */
function readJsonWithComments(file: string): unknown {
  try {
    const { program, errors } = parseSync("tsconfig.js", `(${readFileSync(file, "utf8").replace(/^\uFEFF/, "")}\n)`);
    if (errors.length > 0) return undefined;
    let expression = (program.body[0] as unknown as Node).expression as Node;
    if (expression.type === "ParenthesizedExpression") expression = expression.expression as Node;
    return literalOf(expression);
  } catch {
    return undefined;
  }
}

function literalOf(node: Node): unknown {
  switch (node.type) {
    case "Literal":
      return node.value;
    case "ArrayExpression":
      return (node.elements as Node[]).map(literalOf);
    case "ObjectExpression":
      return Object.fromEntries(
        (node.properties as Node[]).map((property) => {
          const key = property.key as Node;
          return [(key.value ?? key.name) as string, literalOf(property.value as Node)];
        }),
      );
    default:
      return undefined;
  }
}
