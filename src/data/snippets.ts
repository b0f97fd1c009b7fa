import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Random, random } from "./random.ts";

/** Languages that the packages hold enough of, and how their files end. */
const LANGUAGES = {
  javascript: [".js", ".cjs", ".mjs"],
  typescript: [".ts", ".mts", ".cts"],
  json: [".json"],
  markdown: [".md"],
  "c++": [".h", ".cc"],
} as const;

export type SnippetLanguage = keyof typeof LANGUAGES;
export const snippetLanguages = Object.keys(LANGUAGES) as readonly SnippetLanguage[];

/** Lines cut out of a source file. */
export interface Snippet {
  text: string;
  language: SnippetLanguage;
  /** Place of the language in the list asked for. */
  label: number;
  source: {
    /** Name and version, for instance `zod@4.6.7`. */
    package: string;
    /** As the package names it; `"unknown"` where it names none. */
    license: string;
    /** The file's path in the package. */
    file: string;
  };
}

export interface SnippetOptions {
  /** How many snippets, as many of each language. */
  count: number;
  seed: number;
  /** Shortest and longest text, in characters; 10 and 2000 by default. */
  minLength?: number;
  maxLength?: number;
  /** All of `snippetLanguages` by default. */
  languages?: readonly SnippetLanguage[];
  /** Folders of packages to read; by default the packages that this library depends on. */
  packages?: readonly string[];
}

/** Files above it are left out: most are generated. So are files with lines as long as a minifier's. */
const MOST_BYTES = 64 * 1024;
const MOST_CHARACTERS_A_LINE = 200;

/** Files of one language that one package gives at most, so that no package is the whole of a language. */
const MOST_FILES = 150;

/** Draws without a new snippet after which the packages are called exhausted. */
const PATIENCE = 2000;

/**
 * Snippets of source code, and which language each is in: real text with real lengths, present wherever this library is.
 *
 * A snippet is a run of whole lines; how many lines is drawn from a log-normal distribution (median 5), what they hold is
 * what stands there. The packages' versions are pinned, so the same options give the same snippets on every machine. Each
 * carries the licence of the package it comes from.
 *
 * @throws RangeError when the packages do not hold so many
 */
export function languageSnippets(options: SnippetOptions): Snippet[] {
  const { count, seed, minLength = 10, maxLength = 2000, languages = snippetLanguages } = options;
  for (const [name, value] of Object.entries({ count, minLength, maxLength })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer, got ${value}`);
  }
  if (minLength > maxLength) throw new RangeError(`minLength ${minLength} is above maxLength ${maxLength}`);
  if (languages.length === 0 || count % languages.length !== 0) {
    throw new RangeError(`count must be a multiple of the ${languages.length} languages, got ${count}`);
  }
  const rng = random(seed);
  const packages = (options.packages ?? ownPackages()).map(readPackage);
  const perLanguage = languages.map((language, label) => {
    if (!(language in LANGUAGES)) {
      throw new RangeError(`no language ${language}: there are ${snippetLanguages.join(", ")}`);
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
  let fruitless = 0;
  for (let turn = 0; found.length < count; turn++) {
    const file = order[turn % order.length];
    if (!file || fruitless++ > PATIENCE + order.length) {
      throw new RangeError(
        `the packages hold ${found.length} snippets of ${language} in ${files.length} files, and ${count} are asked for`,
      );
    }
    const own = lines.get(file) ?? sourceLines(join(file.package.folder, file.path));
    lines.set(file, own);
    if (own.length === 0) continue;
    const wanted = Math.max(1, Math.round(Math.exp(Math.log(5) + 0.9 * rng.normal())));
    const from = rng.integer(0, own.length);
    const text = own
      .slice(from, from + wanted)
      .join("\n")
      .slice(0, maxLength)
      .trim();
    if (text.length < minLength || seen.has(text)) continue;
    seen.add(text);
    found.push({ text, file });
    fruitless = 0;
  }
  return found;
}

/** The lines of a file, none when it looks generated. */
function sourceLines(path: string): string[] {
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return lines.some((line) => line.length > MOST_CHARACTERS_A_LINE) ? [] : lines;
}

function filesOf(from: Package, endings: readonly string[]): SourceFile[] {
  const own = from.files.filter((file) => endings.includes(extname(file)));
  return own.slice(0, MOST_FILES).map((path) => ({ package: from, path }));
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

/** Every small file under a folder in the order of its path, without packages inside it. */
function* listed(folder: string, root: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && !SET_UP_LATER.has(entry.name)) yield* listed(path, root);
    } else if (entry.isFile() && statSync(path).size <= MOST_BYTES) yield relative(root, path).split(sep).join("/");
  }
}

/** Folders that provisioning or building puts into a package: they differ from machine to machine. */
const SET_UP_LATER = new Set(["deps", "build", "napi-v8"]);

/** The folders of the packages that this library names as dependencies, in the order of their names. */
function ownPackages(): string[] {
  const require = createRequire(import.meta.url);
  let folder = dirname(fileURLToPath(import.meta.url));
  const manifest = () => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (; ; folder = dirname(folder)) {
    try {
      if (manifest().name === "halftone") break;
    } catch {
      if (dirname(folder) === folder) throw new Error("halftone's package.json is not above its own files");
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
