/** TypeScript that a person types into the debugger: an expression to evaluate, a condition, a log message. */
import { parseSync } from "oxc-parser";
import { nestedTooDeeply } from "../compile/nesting.ts";
import { transform } from "../compile/transform.ts";
import { Refusal } from "./refusal.ts";

/** Whether a name can be that of a variable: an identifier that is no reserved word. */
export function isVariableName(name: string): boolean {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name)) return false;
  const options = { lang: "ts", sourceType: "module", showSemanticErrors: true } as const;
  return parseSync("name.ts", `let ${name};`, options).errors.length === 0;
}

/** An expression for a name at the top level: a variable's, or that of any property of the global object. */
export function reading(name: string): string {
  return isVariableName(name) ? name : `globalThis[${JSON.stringify(name)}]`;
}

/** An expression for an object with the values of these names; those without one are left out. */
export function readingAll(names: readonly string[]): string {
  const reads = names.map((name) => `try{o[${JSON.stringify(name)}]=${reading(name)}}catch{}`).join("");
  return `(()=>{const o={__proto__:null};${reads}return o})()`;
}

const run = { legacyDecorators: false, emitDecoratorMetadata: false, defineClassFields: true, jsx: {} };

/** An expression as JavaScript. Throws a `Refusal` for a syntax error. */
export function compileExpression(text: string): string {
  if (text.trim() === "") throw new Refusal("The expression is empty.");
  const problem = syntaxErrorOf(`(${text}\n)`);
  if (problem) throw new Refusal(`The expression has a syntax error: ${problem}`);
  return strip(`(${text}\n)`).trim().replace(/;$/, "");
}

/** An expression or statements as JavaScript. Throws a `Refusal` for a syntax error. */
export function compileInput(text: string): string {
  try {
    return compileExpression(text);
  } catch (error) {
    if (!(error instanceof Refusal) || text.trim() === "" || syntaxErrorOf(text)) throw error;
    return strip(text);
  }
}

/** The parts of a log message: texts, and expressions as JavaScript for what stands in braces. */
export function compileLogMessage(message: string): string {
  const parts: string[] = [];
  let text = "";
  for (let at = 0; at < message.length; at++) {
    const end = message[at] === "{" ? closingBrace(message, at) : -1;
    if (end === -1) {
      text += message[at];
      continue;
    }
    if (text !== "") parts.push(JSON.stringify(text));
    text = "";
    parts.push(`()=>${compileExpression(message.slice(at + 1, end))}`);
    at = end;
  }
  if (text !== "") parts.push(JSON.stringify(text));
  return `[${parts.join(",")}]`;
}

function closingBrace(message: string, open: number): number {
  let depth = 0;
  for (let at = open; at < message.length; at++) {
    if (message[at] === "{") depth++;
    else if (message[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

function syntaxErrorOf(text: string): string | undefined {
  if (nestedTooDeeply(text)) return "it is nested too deeply";
  const { errors, program, module } = parseSync("input.ts", text, { lang: "ts", sourceType: "script" });
  if (module.dynamicImports.length > 0) throw new Refusal("import() cannot be evaluated here: import it in a cell.");
  const first = errors.find(({ severity }) => severity === "Error");
  if (first) return first.message;
  return program.body.length > 1 && text.startsWith("(") ? "it is more than one expression" : undefined;
}

function strip(text: string): string {
  const result = transform(text, {
    filename: "input.ts",
    language: "ts",
    hasDecorators: false,
    keepUnusedImports: true,
    run: { ...run },
  });
  const [error] = result.errors;
  if (error) throw new Refusal(`The expression has a syntax error: ${error.message}`);
  return result.code;
}
