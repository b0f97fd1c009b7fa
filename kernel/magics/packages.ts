import { parseText } from "../compile/parse.ts";

/** A package that a cell asks for. */
export interface WantedPackage {
  /** npm's name: `lodash`, `@types/node`; of JSR's `@std/path` it is `@jsr/std__path`. */
  name: string;
  /** Versions, as npm reads them: `4`, `^1.2.0`, `latest`. */
  range?: string;
}

/** What a cell asks npm for. */
export interface PackageRequest {
  packages: WantedPackage[];
  /** Packages whose install scripts may run. */
  scripts: string[];
  /** Whether a line `%install` asks, which shows the versions. */
  byMagic: boolean;
  /** Why the request cannot be carried out. */
  problem?: string;
}

const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const versionRange = /^[\w.^~<>=|*+ -]+$/;

/** Reads `lodash@4`, `@scope/name` and `lodash/fp`. */
export function readWanted(text: string): (WantedPackage & { subpath: string }) | { problem: string } {
  const [, name = "", range, subpath = ""] = /^((?:@[^/@]*\/)?[^/@]*)(?:@([^/]*))?(\/.*)?$/.exec(text) ?? [];
  if (!packageName.test(name) || name.length > 214)
    return { problem: `"${text}" is not the name of an npm package, such as lodash, lodash@4 or @scope/name` };
  if (range !== undefined && !versionRange.test(range))
    return { problem: `"${range}" is not a version of ${name}, such as 4, ^4.17.0 or latest` };
  return { name, ...(range === undefined ? {} : { range }), subpath };
}

/** Adds what a line `%install [--scripts NAME] PACKAGE...` asks for. */
export function readInstallLine(argument: string, into: PackageRequest): void {
  into.byMagic = true;
  const words = argument.split(/\s+/).filter((word) => word !== "");
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const [, given] = /^--scripts(?:=(.*))?$/.exec(word) ?? [];
    if (/^--scripts(?:=|$)/.test(word)) into.scripts.push(...(given ?? words[++at] ?? "").split(",").filter(Boolean));
    else if (word.startsWith("-"))
      into.problem ??= `%install has no option ${word}: %install [--scripts NAME] PACKAGE...`;
    else add(word, into);
  }
  if (words.length === 0) into.problem ??= "%install needs the name of a package: %install lodash";
}

/** Adds `npm:lodash@4/fp`, `lodash@4` or `jsr:@std/path`, and returns the name to import it by. */
function add(text: string, into: PackageRequest): string | undefined {
  const [, scheme, path = text] = /^(npm|jsr):\/?(.*)$/.exec(text) ?? [];
  const wanted = scheme === "jsr" ? readJsr(path) : readWanted(path);
  if ("problem" in wanted) {
    into.problem ??= wanted.problem;
    return undefined;
  }
  const { subpath, ...found } = wanted;
  const other = into.packages.find(({ name, range }) => name === found.name && range !== found.range);
  if (other?.range !== undefined && found.range !== undefined)
    into.problem ??= `one notebook has one version of ${found.name}, and this cell asks for ${other.range} and ${found.range}`;
  into.packages.push(found);
  return found.name + subpath;
}

const mayAsk = /["'](?:npm|jsr):/;
const inText = /(\b(?:from|import)\s*\(?\s*)(["'])((?:npm|jsr):[^"'\n]+)\2/g;

/**
 * Turns `"npm:lodash@4/fp"` in imports into `"lodash/fp"`, with spaces after it so that all else keeps its place, and adds
 * the packages. A text that does not parse asks for none.
 */
export function plainSpecifiers(code: string, into: PackageRequest): string {
  if (!mayAsk.test(code)) return code;
  const places = specifiersIn(code);
  if (!places)
    return code.replace(
      inText,
      (_, before, quote, text) => `${before}${plain(`${quote}${text}${quote}`, emptyRequest())}`,
    );
  let edited = code;
  for (const { start, end } of places.sort((a, b) => b.start - a.start))
    edited = edited.slice(0, start) + plain(edited.slice(start, end), into) + edited.slice(end);
  return edited;
}

export function emptyRequest(): PackageRequest {
  return { packages: [], scripts: [], byMagic: false };
}

function plain(literal: string, into: PackageRequest): string {
  const [, quote, text] = /^(["'])((?:npm|jsr):[^"']*)\1$/.exec(literal) ?? [];
  if (quote === undefined) return literal;
  const name = add(text!, into);
  return name === undefined ? literal : `${quote}${name}${quote}`.padEnd(literal.length);
}

/** JSR offers `@scope/name` to npm as `@jsr/scope__name`. */
function readJsr(text: string): ReturnType<typeof readWanted> {
  return /^@[^/]+\/[^/]/.test(text)
    ? readWanted(text.replace(/^@([^/]+)\//, "@jsr/$1__"))
    : { problem: `"${text}" is not the name of a JSR package, such as @std/path or @std/path@1` };
}

/** Where the specifiers of a cell's imports stand; undefined when it does not parse. */
function specifiersIn(code: string): { start: number; end: number }[] | undefined {
  for (const language of ["ts", "tsx"] as const) {
    const parsed = parseText(code, language);
    if (!parsed || parsed.errors.length > 0) continue;
    const { module } = parsed;
    return [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
      ...module.staticExports.flatMap(({ entries }) => entries.flatMap((each) => each.moduleRequest ?? [])),
      ...module.dynamicImports.map(({ moduleRequest }) => moduleRequest),
    ].map(({ start, end }) => ({ start, end }));
  }
  return undefined;
}
