/** Makes the module that a page loads for a widget of one's own: of functions in a cell, or of a file, with what they import. */
import { createRequire } from "node:module";
import { parseSync } from "oxc-parser";
import { widgetHost } from "./host.ts";

type Esbuild = typeof import("esbuild");
type Code = (...args: never[]) => unknown;

/**
 * The module whose default export has these functions.
 *
 * @throws ReferenceError for a function that uses a variable of a cell, SyntaxError for an import that is not found
 */
export function moduleOfFunctions(functions: Readonly<Record<string, Code>>): string {
  const members = Object.entries(functions).map(([name, each]) => {
    const text = Function.prototype.toString.call(each);
    const code = isExpression(text) ? text : text.replace(/^(async\s+)?(\*?)\s*/, "$1function$2 ");
    requireOwnNames(name, code);
    return `${name}: ${code}`;
  });
  const module = `export default { ${members.join(",\n")} };`;
  return bundle(widgetHost()?.browserCode(module) ?? module, "the widget's code");
}

/**
 * The module of a TypeScript or JavaScript file, whose default export has `render`.
 *
 * @throws SyntaxError for a file that is not found or has an error
 */
export const moduleOfFile = (file: string): string => bundle(`export { default } from ${JSON.stringify(file)};`, file);

/** With all that it imports, packages from the working folder. */
function bundle(contents: string, name: string): string {
  const { buildSync } = createRequire(import.meta.url)("esbuild") as Esbuild;
  try {
    const { outputFiles } = buildSync({
      stdin: { contents, resolveDir: process.cwd(), sourcefile: "<widget>", loader: "js" },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
      logLevel: "silent",
    });
    return outputFiles[0]!.text;
  } catch (error) {
    const [first] = (error as { errors?: { text: string; location?: { file: string; line: number } }[] }).errors ?? [];
    if (!first) throw error;
    const place = first.location ? ` (${first.location.file}:${first.location.line})` : "";
    throw new SyntaxError(`${name} cannot be bundled for the page: ${first.text}${place}`, { cause: error });
  }
}

/** Whether a function's text is an expression; that of a method, `render() {}`, is not. */
const isExpression = (code: string): boolean => parseSync("code.js", `(${code})`).errors.length === 0;

/** Refuses a function that uses a variable of a cell, which its page does not have. */
function requireOwnNames(name: string, code: string): void {
  const declared = new Set<string>();
  const used = new Set<string>();
  collect(parseSync("code.js", `(${code})`).program as unknown as Node, declared, used);
  const foreign = [...used].find((each) => !declared.has(each) && !(each in globalThis) && isDefined(each));
  if (foreign === undefined) return;
  throw new ReferenceError(
    `widget: ${name} runs in the page, which does not have ${foreign} of the notebook: put its value into state, or declare it inside ${name}`,
  );
}

interface Node {
  type: string;
  [key: string]: unknown;
}

const bindings: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ["id"],
  FunctionDeclaration: ["id", "params"],
  FunctionExpression: ["id", "params"],
  ArrowFunctionExpression: ["params"],
  ClassDeclaration: ["id"],
  ClassExpression: ["id"],
  CatchClause: ["param"],
};

/** All names that are declared somewhere in the code, and all that are used as variables. */
function collect(node: Node, declared: Set<string>, used: Set<string>): void {
  for (const key of bindings[node.type] ?? []) {
    const names = new Set<string>();
    for (const each of [node[key]].flat()) if (isNode(each)) collect(each, names, names);
    for (const each of names) declared.add(each);
  }
  if (node.type === "Identifier") used.add(node.name as string);
  for (const [key, value] of Object.entries(node)) {
    const isName = (key === "property" || key === "key") && node.computed === false;
    if (isName || key === "label") continue;
    for (const each of [value].flat()) if (isNode(each)) collect(each, declared, used);
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

function isDefined(name: string): boolean {
  try {
    return new Function(`return typeof ${name} !== "undefined"`)() as boolean;
  } catch {
    // Declared, and not yet initialized.
    return true;
  }
}
