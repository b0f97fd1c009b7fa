import path from "node:path";
import { parseSync } from "oxc-parser";
import { codeFrame, positionAt } from "./diagnostic.ts";
import { scan } from "./scan.ts";
import { transform } from "./transform.ts";
import type { Node } from "./tree.ts";
import { runOptions } from "./tsconfig.ts";

type Language = "ts" | "tsx" | "js" | "jsx";

export interface CompiledModule {
  code: string;
  /** The source map as JSON. Empty when the code was not transformed. */
  map: string;
  /** Whether the file contains `import` or `export`. */
  isModule: boolean;
}

/** Compiles a local file by the same rules as a cell: removes types, and lowers JSX, decorators and `using`. */
export function compileModule(source: string, filename: string): CompiledModule {
  const language = languageOf(filename);
  const parsed = parseSync(filename, source, { lang: language, sourceType: "module" });
  const error = parsed.errors.find(({ severity }) => severity === "Error");
  if (error) throw syntaxError(source, filename, error.labels[0]?.start ?? 0, error.message);
  const uses = scan(parsed.program.body as unknown as Node[]);
  const isModule = parsed.module.hasModuleSyntax;
  if (!uses.needsTransform && !uses.hasFields) return { code: source, map: "", isModule };
  const run = runOptions(path.dirname(filename));
  if (!uses.needsTransform && run.defineClassFields) return { code: source, map: "", isModule };
  const result = transform(source, {
    filename,
    language,
    hasDecorators: uses.hasDecorators,
    mergesNamespaces: uses.mergesNamespaces,
    keepUnusedImports: false,
    run,
  });
  const failure = result.errors[0];
  if (failure) throw syntaxError(source, filename, failure.offset, failure.message);
  return { code: result.code, map: result.map, isModule };
}

function languageOf(filename: string): Language {
  const extension = path.extname(filename).slice(1).replace(/^[mc]/, "");
  return extension === "tsx" || extension === "jsx" || extension === "js" ? extension : "ts";
}

function syntaxError(source: string, filename: string, offset: number, message: string): SyntaxError {
  const { line, column } = positionAt(source, offset);
  return new SyntaxError(`${message}\n  at ${filename}:${line}:${column}\n\n${codeFrame(source, line, column)}`);
}
