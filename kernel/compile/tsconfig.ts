/** The nearest tsconfig.json with all that it extends: the one source of options for compiling and for checking. */
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { parseSync } from "oxc-parser";

export type CompilerOptions = Record<string, unknown>;

export interface Tsconfig {
  /** The folder from which its relative paths start. */
  folder: string;
  /** Its compiler options, without `paths` and `baseUrl`. Type roots are absolute. */
  options: CompilerOptions;
  /** `paths` with absolute targets, as far as there are any, and `baseUrl` as a last `*`. */
  paths: PathMap;
  /** Why it could not be read, as a sentence. It then has no options. */
  problem?: string;
}

/** Patterns of specifiers with absolute targets; `*` stands in both. */
export type PathMap = Record<string, string[]>;

/** The compiler options that change how code runs. */
export interface RunOptions {
  /** `experimentalDecorators`; without it decorators are the standard ones. */
  legacyDecorators: boolean;
  emitDecoratorMetadata: boolean;
  /** `useDefineForClassFields`: class fields are defined, as in JavaScript, and not assigned. */
  defineClassFields: boolean;
  jsx: JsxOptions;
}

/** How JSX is compiled: to calls of a factory where there is one, else to the automatic runtime. */
export interface JsxOptions {
  importSource?: string;
  factory?: string;
  fragmentFactory?: string;
}

interface Read {
  /** When the file was last changed before it was read. */
  stamp: number;
  /** The same for the files that it extends. */
  bases: [file: string, stamp: number | undefined][];
  tsconfig: Tsconfig;
}

const known = new Map<string, Read>();

/** The nearest tsconfig.json at or above `folder`, read again when it or a file that it extends has changed. */
export function readTsconfig(folder: string): Tsconfig | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const file = path.join(at, "tsconfig.json");
    const stamp = stampOf(file);
    if (stamp !== undefined) {
      const before = known.get(file);
      if (before?.stamp === stamp && before.bases.every(([base, stamp]) => stampOf(base) === stamp))
        return before.tsconfig;
      const read = parse(file, stamp);
      known.set(file, read);
      return read.tsconfig;
    }
    if (path.dirname(at) === at) return undefined;
  }
}

/** How code in `folder` is compiled. `own` are compiler options that go before those of its tsconfig.json. */
export function runOptions(folder: string, own: CompilerOptions = {}): RunOptions {
  const options = { ...readTsconfig(folder)?.options, ...own };
  return {
    legacyDecorators: options.experimentalDecorators === true,
    emitDecoratorMetadata: options.emitDecoratorMetadata === true,
    defineClassFields: definesClassFields(options),
    jsx: jsxOptions(options),
  };
}

/** How JSX is compiled by these compiler options. */
export function jsxOptions({ jsx, jsxImportSource, jsxFactory, jsxFragmentFactory }: CompilerOptions): JsxOptions {
  if (typeof jsx === "string" && jsx.toLowerCase() === "react")
    return {
      factory: typeof jsxFactory === "string" ? jsxFactory : "React.createElement",
      fragmentFactory: typeof jsxFragmentFactory === "string" ? jsxFragmentFactory : "React.Fragment",
    };
  return typeof jsxImportSource === "string" ? { importSource: jsxImportSource } : {};
}

/** Variables that JSX compiled so refers to, without their being written in it. */
export function jsxVariables({ factory, fragmentFactory }: JsxOptions): string[] {
  return [factory, fragmentFactory].flatMap((name) => name?.split(".")[0] ?? []);
}

/** `paths` of compiler options that were read in `folder`. */
export function pathMap({ baseUrl, paths }: CompilerOptions, folder: string): PathMap {
  const base = typeof baseUrl === "string" ? path.resolve(folder, baseUrl) : folder;
  const map: PathMap = {};
  for (const [pattern, targets] of Object.entries((paths as Record<string, string[]> | undefined) ?? {}))
    map[pattern] = absolute(targets, base);
  if (typeof baseUrl === "string") map["*"] ??= [path.join(base, "*")];
  return map;
}

function absolute(list: unknown, folder: string): string[] {
  return (Array.isArray(list) ? list : []).map((each) => path.resolve(folder, String(each)));
}

/** TypeScript assigns fields by default where the target is older than fields are. */
function definesClassFields({ useDefineForClassFields, target }: CompilerOptions): boolean {
  if (typeof useDefineForClassFields === "boolean") return useDefineForClassFields;
  return !(typeof target === "string" && /^es(?:[356]|20(?:1\d|2[01]))$/i.test(target));
}

function parse(file: string, stamp: number): Read {
  const folder = path.dirname(file);
  const cache = new Map<string, string>();
  let tsconfig: Tsconfig;
  try {
    requireSyntax(readFileSync(file, "utf8"));
    // Loaded where there is a tsconfig.json: a process that starts does not wait for it.
    const { parseTsconfig } = createRequire(import.meta.url)("get-tsconfig") as typeof import("get-tsconfig");
    const { baseUrl, paths, ...options } = (parseTsconfig(file, cache).compilerOptions ?? {}) as CompilerOptions;
    if (options.typeRoots) options.typeRoots = absolute(options.typeRoots, folder);
    tsconfig = { folder, options, paths: pathMap({ baseUrl, paths }, folderOfPaths(options) ?? folder) };
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    const problem = `${file} could not be read (${reason}); cells use the default options`;
    tsconfig = { folder, options: {}, paths: {}, problem };
  }
  const sources = [...cache.keys()].flatMap((key) => /^readFileSync:(.+):utf8$/.exec(key)?.[1] ?? []);
  const bases = sources.filter((source) => source !== file);
  return { stamp, bases: bases.map((base) => [base, stampOf(base)]), tsconfig };
}

/** The folder of the extended file that has `paths`, which get-tsconfig notes under a symbol of its own. */
function folderOfPaths(options: CompilerOptions): string | undefined {
  const symbol = Object.getOwnPropertySymbols(options).find(({ description }) => description === "implicitBaseUrl");
  return symbol && (options as Record<symbol, string>)[symbol];
}

/** JSON with comments and trailing commas is a JavaScript expression. get-tsconfig takes any text without an error. */
function requireSyntax(text: string): void {
  const { errors } = parseSync("tsconfig.js", `(${text.replace(/^\uFEFF/, "")}\n)`, {
    lang: "js",
    sourceType: "script",
  });
  if (errors[0]) throw new Error(errors[0].message);
}

function stampOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
