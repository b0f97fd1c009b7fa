import { setImmediate } from "node:timers/promises";
import { type CompilerOptions, jsxOptions, jsxVariables, pathMap, readTsconfig } from "../../compile/tsconfig.ts";
import { packageTypes, typeRoots } from "./packages.ts";
import { currentModule, globalsModule, historyModule, namesModule, proofModule } from "./paths.ts";

/** The configuration of the program that a notebook is. */
export interface Config {
  text: string;
  /** Variables that every cell with JSX refers to. */
  jsxVariables: string[];
  /** What could not be read, as a sentence. */
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
 * one of them says otherwise. Packages are those of `packages`, where it is merged.
 */
export async function readConfig(cwd: string, own: CompilerOptions = {}, packages?: string): Promise<Config> {
  // The session starts the process for user code first.
  await setImmediate();
  const tsconfig = readTsconfig(cwd);
  const merged: CompilerOptions = { ...defaults, typeRoots: typeRoots(cwd), ...tsconfig?.options, ...own };
  const mapped = own.paths || own.baseUrl ? pathMap(own, tsconfig?.folder ?? cwd) : tsconfig?.paths;
  const compilerOptions: CompilerOptions = {
    ...merged,
    types: [...new Set(["node", ...((merged.types as string[] | undefined) ?? [])])],
    ...fixed,
    paths: { ...packageTypes(cwd, packages), ...mapped },
  };
  for (const name of dropped) delete compilerOptions[name];
  const files = [globalsModule, historyModule, namesModule, proofModule, ...Object.values(currentModule)];
  const config = { text: JSON.stringify({ compilerOptions, files }), jsxVariables: jsxVariables(jsxOptions(merged)) };
  return tsconfig?.problem === undefined ? config : { ...config, problem: tsconfig.problem };
}
