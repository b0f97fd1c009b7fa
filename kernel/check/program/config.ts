import { setImmediate } from "node:timers/promises";
import { type CompilerOptions, jsxOptions, jsxVariables, pathMap, readTsconfig } from "../../compile/tsconfig.ts";
import { type PackagePlaces, packageTypes, typeRoots } from "./packages.ts";
import { currentModule, globalsModule, historyModule, namesModule, proofModule } from "./paths.ts";

/** The TypeScript configuration of a notebook's program. */
export interface Config {
  text: string;
  /** Variables that every cell with JSX refers to. */
  jsxVariables: string[];
  /** A sentence that says what could not be read. */
  problem?: string;
}

/**
 * `lib` omits the DOM. Node's types declare the parts that Node has (fetch, URL, streams), and a cell that uses `document`
 * or `name` gets a type error before it runs. Without the DOM the first answer also comes sooner.
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

/** Options that a notebook's program requires, or that must be off because they do not apply to it. */
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

/** Options for output paths, and options that TypeScript 7 does not support. */
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
 * Reads the nearest `tsconfig.json` at or above the notebook's folder. The options in `own`, from the notebook's metadata,
 * override it. `strict` is the default. `places` are the folders whose packages come before
 * those of the notebook's folder.
 */
export async function readConfig(cwd: string, own: CompilerOptions = {}, places: PackagePlaces): Promise<Config> {
  // Lets the session start the process for user code first.
  await setImmediate();
  const tsconfig = readTsconfig(cwd);
  const merged: CompilerOptions = { ...defaults, typeRoots: typeRoots(cwd), ...tsconfig?.options, ...own };
  const mapped = own.paths || own.baseUrl ? pathMap(own, tsconfig?.folder ?? cwd) : tsconfig?.paths;
  const compilerOptions: CompilerOptions = {
    ...merged,
    types: [...new Set(["node", ...((merged.types as string[] | undefined) ?? [])])],
    ...fixed,
    paths: { ...packageTypes(cwd, places), ...mapped },
  };
  for (const name of dropped) delete compilerOptions[name];
  const files = [globalsModule, historyModule, namesModule, proofModule, ...Object.values(currentModule)];
  const config = { text: JSON.stringify({ compilerOptions, files }), jsxVariables: jsxVariables(jsxOptions(merged)) };
  return tsconfig?.problem === undefined ? config : { ...config, problem: tsconfig.problem };
}
