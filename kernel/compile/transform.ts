import { createRequire } from "node:module";
import { transformSync as transformWithOxc } from "oxc-transform";

/** JavaScript that V8 runs, still a module, with the map back to the TypeScript. */
export interface Transformed {
  code: string;
  map: string;
  errors: { message: string; offset: number }[];
}

export interface TransformOptions {
  filename: string;
  language: "ts" | "tsx" | "js" | "jsx";
  hasDecorators: boolean;
  /** A namespace has several parts, of which oxc-transform does not let one see what another exports. */
  mergesNamespaces?: boolean;
  /** tsconfig's `experimentalDecorators`; without it decorators are the standard ones. */
  legacyDecorators?: boolean;
  emitDecoratorMetadata?: boolean;
  jsxImportSource?: string;
  /** Keep imports that nothing in this text uses: a later cell may. */
  keepUnusedImports: boolean;
}

/** Types, JSX, enum, namespace, decorators and `using` out. Helpers come as imports of `@oxc-project/runtime`. */
export function transform(source: string, options: TransformOptions): Transformed {
  if ((options.hasDecorators || options.mergesNamespaces) && !options.legacyDecorators)
    return transformWithEsbuild(source, options);
  const result = transformWithOxc(options.filename, source, {
    lang: options.language,
    sourceType: "module",
    target: "es2023",
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: options.keepUnusedImports, rewriteImportExtensions: false },
    decorator: {
      legacy: options.legacyDecorators ?? false,
      emitDecoratorMetadata: options.emitDecoratorMetadata ?? false,
    },
    jsx: options.jsxImportSource ? { importSource: options.jsxImportSource } : {},
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

/** oxc-transform leaves standard decorators (TC39, TypeScript 5) as they are, and V8 has none yet: esbuild lowers them. */
function transformWithEsbuild(source: string, options: TransformOptions): Transformed {
  esbuild ??= createRequire(import.meta.url)("esbuild") as Esbuild;
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
      jsx: "automatic",
      ...(options.jsxImportSource ? { jsxImportSource: options.jsxImportSource } : {}),
      tsconfigRaw: {
        compilerOptions: { verbatimModuleSyntax: options.keepUnusedImports, useDefineForClassFields: true },
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
