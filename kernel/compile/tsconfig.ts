/** Reads the nearest tsconfig.json with the files that it extends. Compiling and checking both take their options from here. */
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
  /** `paths` with absolute targets. `baseUrl` is added as the last pattern, `*`. */
  paths: PathMap;
  /** A sentence that says why the file could not be read. There are then no options. */
  problem?: string;
}

/** Maps patterns of specifiers to absolute targets. Both may contain `*`. */
export type PathMap = Record<string, string[]>;

/** The compiler options that change how code runs. */
export interface RunOptions {
  /** `experimentalDecorators`. When false, decorators are the standard ones. */
  legacyDecorators: boolean;
  emitDecoratorMetadata: boolean;
  /** `useDefineForClassFields`. When true, class fields are defined, as in JavaScript; otherwise they are assigned. */
  defineClassFields: boolean;
  jsx: JsxOptions;
}

/** How JSX is compiled: to calls of `factory` when it is set, otherwise to the automatic runtime. */
export interface JsxOptions {
  importSource?: string;
  factory?: string;
  fragmentFactory?: string;
}

interface Read {
  /** The file's modification time when it was read. */
  stamp: number;
  /** The modification times of the files that it extends. */
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

/** How code in `folder` is compiled. The compiler options in `own` override those of its tsconfig.json. */
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

/** The variables that compiled JSX refers to, although the source does not mention them. */
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

/** Whether class fields are defined. By default TypeScript assigns them when the target is older than ES2022. */
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
    // Loaded only when a tsconfig.json exists, so that it does not delay the start of a process.
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

/** The folder of the extended file that has `paths`. get-tsconfig stores it under a private symbol. */
function folderOfPaths(options: CompilerOptions): string | undefined {
  const symbol = Object.getOwnPropertySymbols(options).find(({ description }) => description === "implicitBaseUrl");
  return symbol && (options as Record<symbol, string>)[symbol];
}

/**
 * Throws on a syntax error, because get-tsconfig accepts any text. JSON with comments and trailing commas is parsed as a
 * JavaScript expression.
 */
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
