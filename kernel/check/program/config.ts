import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import { packageTypes, typeRoots } from "./packages.ts";
import { currentModule, globalsModule, historyModule, namesModule, proofModule } from "./paths.ts";

export type CompilerOptions = Record<string, unknown>;

/** The configuration of the program that a notebook is. */
export interface Config {
  text: string;
  /** What could not be read, in words. */
  problem?: string;
}

/**
 * `lib` has no DOM: Node's own types declare what Node has of it (fetch, URL, streams), and a cell that says `document`
 * or `name` is told before it runs. It also halves the time to the first answer.
 */
const defaults: CompilerOptions = {
  strict: true,
  target: "esnext",
  lib: ["esnext"],
  jsx: "react-jsx",
  allowJs: true,
  resolveJsonModule: true,
  skipLibCheck: true,
};

/** What a notebook's program cannot do without, or nothing of which applies to it. */
const fixed: CompilerOptions = {
  noEmit: true,
  module: "preserve",
  moduleResolution: "bundler",
  moduleDetection: "force",
  allowImportingTsExtensions: true,
  composite: false,
  incremental: false,
  declaration: false,
  declarationMap: false,
  isolatedModules: false,
  isolatedDeclarations: false,
  verbatimModuleSyntax: false,
  noUnusedLocals: false,
  noUnusedParameters: false,
  allowUnreachableCode: true,
  allowUnusedLabels: true,
};

/** Options that name places to write to, or that TypeScript 7 no longer knows. */
const dropped = [
  "rootDir",
  "outDir",
  "outFile",
  "declarationDir",
  "tsBuildInfoFile",
  "baseUrl",
  "noEmitOnError",
  "rewriteRelativeImportExtensions",
];

/**
 * From the nearest `tsconfig.json` at or above the notebook's folder, then the notebook's own metadata. Strict unless
 * one of them says otherwise. Packages are those of `packages`, where it is given.
 */
export async function readConfig(cwd: string, own: CompilerOptions = {}, packages?: string): Promise<Config> {
  const { options, problem } = await nearest(cwd);
  const given = { ...options, ...own };
  const paths = { ...packageTypes(cwd, packages), ...absolutePaths(given, cwd) };
  const compilerOptions: CompilerOptions = {
    ...defaults,
    typeRoots: typeRoots(cwd),
    ...given,
    types: [...new Set(["node", ...((given.types as string[] | undefined) ?? [])])],
    ...fixed,
    paths,
  };
  for (const name of dropped) delete compilerOptions[name];
  const files = [globalsModule, historyModule, namesModule, proofModule, ...Object.values(currentModule)];
  const text = JSON.stringify({ compilerOptions, files });
  return problem === undefined ? { text } : { text, problem };
}

async function nearest(cwd: string): Promise<{ options: CompilerOptions; problem?: string }> {
  const file = findConfig(cwd);
  if (file === undefined) return { options: {} };
  try {
    requireSyntax(readFileSync(file, "utf8"));
    const { parseTsconfig } = await import("get-tsconfig");
    const { compilerOptions = {} } = parseTsconfig(file);
    const options = compilerOptions as CompilerOptions;
    const base = options.baseUrl === undefined ? dirname(file) : resolve(dirname(file), options.baseUrl as string);
    return {
      options: {
        ...options,
        ...(options.typeRoots ? { typeRoots: resolveAll(options.typeRoots, dirname(file)) } : {}),
        $base: base,
      },
    };
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    return { options: {}, problem: `${file} could not be read (${why}); cells are checked with the default options` };
  }
}

/** JSON with comments and trailing commas is a JavaScript expression; the reader of options takes anything for it. */
function requireSyntax(text: string): void {
  const { errors } = parseSync("tsconfig.js", `(${text.replace(/^\uFEFF/, "")}\n)`, {
    lang: "js",
    sourceType: "script",
  });
  if (errors[0]) throw new Error(errors[0].message);
}

function findConfig(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, "tsconfig.json");
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

function resolveAll(list: unknown, from: string): string[] {
  return (Array.isArray(list) ? list : []).map((each) => resolve(from, String(each)));
}

/** `paths` with absolute targets; `baseUrl`, which TypeScript 7 lacks, as a last `*`. */
function absolutePaths(given: CompilerOptions, cwd: string): Record<string, string[]> {
  const base = (given.$base as string | undefined) ?? cwd;
  delete given.$base;
  const paths: Record<string, string[]> = {};
  for (const [pattern, targets] of Object.entries((given.paths as Record<string, unknown> | undefined) ?? {}))
    paths[pattern] = resolveAll(targets, base);
  if (given.baseUrl !== undefined && !paths["*"]) paths["*"] = [join(base, "*")];
  return paths;
}
