import { createRequire } from "node:module";
import { transformSync as transformWithOxc } from "oxc-transform";
import type { RunOptions } from "./tsconfig.ts";

/** A JavaScript module that V8 can run, with its source map. */
export interface Transformed {
  code: string;
  map: string;
  errors: { message: string; offset: number }[];
}

export interface TransformOptions {
  filename: string;
  language: "ts" | "tsx" | "js" | "jsx";
  hasDecorators: boolean;
  /** Whether a namespace has several parts. In oxc-transform's output a part does not see the exports of the others. */
  mergesNamespaces?: boolean;
  run: RunOptions;
  /** Whether to keep unused imports, because a later cell may use them. */
  keepUnusedImports: boolean;
}

/** Compiles types, JSX, enums, namespaces, decorators and `using` away. Helpers are imports of `@oxc-project/runtime`. */
export function transform(source: string, options: TransformOptions): Transformed {
  const { legacyDecorators, emitDecoratorMetadata, defineClassFields, jsx } = options.run;
  if ((options.hasDecorators || options.mergesNamespaces) && !legacyDecorators)
    return transformWithEsbuild(source, options);
  const result = transformWithOxc(options.filename, source, {
    lang: options.language,
    sourceType: "module",
    target: "es2023",
    sourcemap: true,
    typescript: {
      onlyRemoveTypeImports: options.keepUnusedImports,
      rewriteImportExtensions: false,
      removeClassFieldsWithoutInitializer: !defineClassFields,
    },
    assumptions: { setPublicClassFields: !defineClassFields },
    decorator: { legacy: legacyDecorators, emitDecoratorMetadata },
    jsx: jsx.factory
      ? { runtime: "classic", pragma: jsx.factory, pragmaFrag: jsx.fragmentFactory! }
      : jsx.importSource
        ? { importSource: jsx.importSource }
        : {},
  });
  return {
    code: result.code,
    map: result.map ? JSON.stringify(result.map) : "",
    errors: result.errors
      .filter((error) => error.severity === "Error")
      .map((error) => ({ message: error.message, offset: error.labels[0]?.start ?? 0 })),
  };
}

type Esbuild = {
  transformSync(source: string, options: object): { code: string; map: string };
};
let esbuild: Esbuild | undefined;

/** Lowers standard decorators (TC39, TypeScript 5) with esbuild: oxc-transform does not lower them, and V8 lacks them. */
function transformWithEsbuild(source: string, options: TransformOptions): Transformed {
  esbuild ??= createRequire(import.meta.url)("esbuild") as Esbuild;
  const { jsx, defineClassFields } = options.run;
  try {
    const { code, map } = esbuild.transformSync(source, {
      loader: options.language,
      format: "esm",
      target: "es2023",
      supported: { decorators: false, using: false },
      sourcemap: true,
      sourcefile: options.filename,
      sourcesContent: false,
      logLevel: "silent",
      ...(jsx.factory
        ? { jsx: "transform", jsxFactory: jsx.factory, jsxFragment: jsx.fragmentFactory }
        : { jsx: "automatic", ...(jsx.importSource ? { jsxImportSource: jsx.importSource } : {}) }),
      tsconfigRaw: {
        compilerOptions: {
          verbatimModuleSyntax: options.keepUnusedImports,
          useDefineForClassFields: defineClassFields,
        },
      },
    });
    return { code: code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"), map, errors: [] };
  } catch (error) {
    const found = (error as { errors?: { text: string; location?: { line: number; column: number } }[] }).errors;
    if (!found) throw error;
    return {
      code: "",
      map: "",
      errors: found.map(({ text, location }) => ({ message: text, offset: offsetOf(source, location) })),
    };
  }
}

function offsetOf(source: string, location: { line: number; column: number } | undefined): number {
  if (!location) return 0;
  let start = 0;
  for (let line = 1; line < location.line; line++) start = source.indexOf("\n", start) + 1;
  return start + location.column;
}
