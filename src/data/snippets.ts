import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPositiveInteger } from "../base/checks.ts";
import { type Random, random } from "./random.ts";

/** The languages of which the packages contain enough code, and their file name extensions. */
const LANGUAGES = {
  javascript: [".js", ".cjs", ".mjs"],
  typescript: [".ts", ".mts", ".cts"],
  json: [".json"],
  markdown: [".md"],
  "c++": [".h", ".cc"],
} as const;

/** A language of `languageSnippets`. */
export type SnippetLanguage = keyof typeof LANGUAGES;
/** The languages of `languageSnippets`, in the order of their labels. */
const snippetLanguages = Object.keys(LANGUAGES) as readonly SnippetLanguage[];

/** Lines cut out of a source file. */
export interface Snippet {
  text: string;
  language: SnippetLanguage;
  /** Index of the language in `options.languages`. */
  label: number;
  source: {
    /** Name and version, for instance `zod@4.6.7`. */
    package: string;
    /** The licence in the package's package.json; `"unknown"` where there is none. */
    license: string;
    /** The file's path in the package. */
    file: string;
  };
}

/** Options of `languageSnippets`. */
export interface SnippetOptions {
  /** How many snippets in all, the same number of each language. */
  count: number;
  seed: number;
  /** Shortest and longest text, in characters; 10 and 2000 by default. */
  minLength?: number;
  maxLength?: number;
  /** All of them by default. */
  languages?: readonly SnippetLanguage[];
  /** Folders of packages to read; by default the packages that this library depends on. */
  packages?: readonly string[];
}

/** Larger files are left out, because most are generated; so are files with very long lines, which are minified. */
const MOST_BYTES = 64 * 1024;
const MOST_CHARACTERS_A_LINE = 200;

/** Most files of one language from one package, so that no package dominates a language. */
const MOST_FILES = 150;

/** Most consecutive draws without a new snippet before `languageSnippets` throws. */
const MAX_REJECTED = 2000;

/**
 * Snippets of source code labelled with their language, cut from the files of the packages that this library depends on.
 *
 * A snippet is a run of whole lines; the number of lines is drawn from a log-normal distribution (median 5). The packages'
 * versions are pinned, so the same options give the same snippets on every machine. Each snippet names the package it comes
 * from and its licence.
 *
 * @throws RangeError for an invalid option, or when the packages contain too few snippets
 * @throws Error when the library's own package.json is not found
 */
export function languageSnippets(options: SnippetOptions): Snippet[] {
  const { count, seed, minLength = 10, maxLength = 2000, languages = snippetLanguages } = options;
  for (const [name, value] of Object.entries({ count, minLength, maxLength })) {
    checkPositiveInteger(name, value);
  }
  if (minLength > maxLength) throw new RangeError(`minLength ${minLength} is above maxLength ${maxLength}`);
  if (languages.length === 0 || count % languages.length !== 0) {
    throw new RangeError(`count must be a multiple of the ${languages.length} languages, got ${count}`);
  }
  const rng = random(seed);
  const packages = (options.packages ?? ownPackages()).map(readPackage);
  const perLanguage = languages.map((language, label) => {
    if (!(language in LANGUAGES)) {
      throw new RangeError(`unknown language ${language}: expected one of ${snippetLanguages.join(", ")}`);
    }
    const files = packages.flatMap((each) => filesOf(each, LANGUAGES[language]));
    return draw(files, count / languages.length, rng, minLength, maxLength, language).map(({ text, file }) => ({
      text,
      language,
      label,
      source: { package: file.package.name, license: file.package.license, file: file.path },
    }));
  });
  return rng.shuffle(perLanguage.flat());
}

interface Package {
  folder: string;
  name: string;
  license: string;
  files: string[];
}

interface SourceFile {
  package: Package;
  path: string;
}

function draw(
  files: readonly SourceFile[],
  count: number,
  rng: Random,
  minLength: number,
  maxLength: number,
  language: string,
): { text: string; file: SourceFile }[] {
  const order = rng.shuffle(files);
  const lines = new Map<SourceFile, string[]>();
  const seen = new Set<string>();
  const found: { text: string; file: SourceFile }[] = [];
  let rejected = 0;
  for (let turn = 0; found.length < count; turn++) {
    const file = order[turn % order.length];
    if (!file || rejected++ > MAX_REJECTED + order.length) {
      throw new RangeError(
        `found ${found.length} of ${count} snippets of ${language} in ${files.length} files: lower count, or pass more packages`,
      );
    }
    const fileLines = lines.get(file) ?? sourceLines(join(file.package.folder, file.path));
    lines.set(file, fileLines);
    if (fileLines.length === 0) continue;
    const lineCount = Math.max(1, Math.round(Math.exp(Math.log(5) + 0.9 * rng.normal())));
    const from = rng.integer(0, fileLines.length);
    const text = fileLines
      .slice(from, from + lineCount)
      .join("\n")
      .slice(0, maxLength)
      .trim();
    if (text.length < minLength || seen.has(text)) continue;
    seen.add(text);
    found.push({ text, file });
    rejected = 0;
  }
  return found;
}

/** The lines of a file; none when it looks generated. */
function sourceLines(path: string): string[] {
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return lines.some((line) => line.length > MOST_CHARACTERS_A_LINE) ? [] : lines;
}

function filesOf(from: Package, endings: readonly string[]): SourceFile[] {
  const matching = from.files.filter((file) => endings.includes(extname(file)));
  return matching.slice(0, MOST_FILES).map((path) => ({ package: from, path }));
}

function readPackage(folder: string): Package {
  const described = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
  const license = described.license ?? "unknown";
  return {
    folder,
    name: `${described.name}@${described.version}`,
    license: typeof license === "string" ? license : String((license as { type?: string }).type ?? "unknown"),
    files: [...listed(folder, folder)],
  };
}

/** The path of every small file under a folder, sorted, without the packages inside it. */
function* listed(folder: string, root: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && !SET_UP_LATER.has(entry.name)) yield* listed(path, root);
    } else if (entry.isFile() && statSync(path).size <= MOST_BYTES) yield relative(root, path).split(sep).join("/");
  }
}

/** Folders that setup or a build adds to a package; their contents differ between machines. */
const SET_UP_LATER = new Set(["deps", "build", "napi-v8"]);

/** The folders of this library's dependencies, sorted by name. */
function ownPackages(): string[] {
  const require = createRequire(import.meta.url);
  let folder = dirname(fileURLToPath(import.meta.url));
  const manifest = () => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (; ; folder = dirname(folder)) {
    try {
      if (manifest().name === "halftone") break;
    } catch {
      if (dirname(folder) === folder) throw new Error("cannot find halftone's package.json above its source files");
    }
  }
  return Object.keys(manifest().dependencies as Record<string, string>)
    .sort()
    .flatMap((name) => {
      const paths = require.resolve.paths(name) ?? [];
      const at = paths.map((path) => join(path, name)).find((path) => isFolder(path));
      return at ? [at] : [];
    });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
