import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  name?: string;
  types?: string;
  typings?: string;
  main?: string;
  exports?: unknown;
  dependencies?: Record<string, string>;
  /** In the released package: the dependencies of which it has copies in `dist/node_modules`. */
  copies?: string[];
}

/** The folder of the kernel's own package. */
export const kernelRoot = findUp(dirname(fileURLToPath(import.meta.url)), (folder) => {
  const file = join(folder, "package.json");
  return existsSync(file) && readManifest(file)?.name === "halftone" ? folder : undefined;
})!;

/** Other package names that the loader resolves to the one tfjs module. */
const tensorflow = ["@tensorflow/tfjs", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node"];

/** Module names that a notebook may import without installing anything: those of the kernel and of its dependencies. */
export function kernelModules(): string[] {
  return ["halftone", ...kernelSubpaths(), ...dependencies(), ...tensorflow];
}

/** The package's subpaths, such as `halftone/nn`. */
export function kernelSubpaths(): string[] {
  return Object.keys(subpathTypes(kernelRoot)).map((subpath) => `halftone/${subpath}`);
}

function dependencies(): string[] {
  const { dependencies = {}, copies = [] } = readManifest(join(kernelRoot, "package.json")) ?? {};
  return [...Object.keys(dependencies), ...copies];
}

/** Folders with packages, beside the notebook's folder and those above it. */
export interface PackagePlaces {
  /** A lock's packages, used instead of the notebook's. */
  packages: string | undefined;
  /** Those that the notebook's cells installed. */
  own: string;
}

/** `paths` that resolve packages as the loader does at run time: first the notebook's packages, then the kernel's. */
export function packageTypes(cwd: string, { packages, own }: PackagePlaces): Record<string, string[]> {
  if (packages === undefined) return { ...kernelTypes((name) => folderOf(cwd, name) !== undefined), ...typesIn(own) };
  return { ...kernelTypes((name) => existsSync(join(packages, "node_modules", name))), ...typesIn(packages) };
}

/** The types of the dependencies in the `package.json` of `folder`. */
function typesIn(folder: string): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  for (const name of Object.keys(readManifest(join(folder, "package.json"))?.dependencies ?? {})) {
    const typesOf = [name, `@types/${name.replace(/^@(.*)\//, "$1__")}`].map((each) =>
      join(folder, "node_modules", each),
    );
    const found = typesOf.find((each) => typesEntry(each) !== undefined);
    if (found === undefined) {
      const untyped = join(folder, "node_modules", name);
      if (existsSync(untyped)) Object.assign(paths, { [name]: [untyped], [`${name}/*`]: [join(untyped, "*")] });
      continue;
    }
    paths[name] = [typesEntry(found)!];
    paths[`${name}/*`] = [join(found, "*")];
    for (const [subpath, entry] of Object.entries(subpathTypes(found))) paths[`${name}/${subpath}`] = [entry];
  }
  return paths;
}

/** Whether a package in the folder's `node_modules` has type declarations itself. */
export function hasTypes(folder: string, name: string): boolean {
  return typesEntry(join(folder, "node_modules", name)) !== undefined;
}

/** The type declarations of a package's subpath exports. */
function subpathTypes(folder: string): Record<string, string> {
  const { exports } = readManifest(join(folder, "package.json")) ?? {};
  if (typeof exports !== "object" || exports === null) return {};
  const below = Object.entries(exports).filter(([key]) => /^\.\/(?!package\.json$)[^*]+$/.test(key));
  return Object.fromEntries(
    below.flatMap(([key, value]) => {
      const entry = fromExports(value);
      const types = entry && declarationOf(folder, entry);
      return types ? [[key.slice(2), types]] : [];
    }),
  );
}

/** `paths` to the types of the kernel's packages that the notebook does not have itself. */
function kernelTypes(hasOwn: (name: string) => boolean): Record<string, string[]> {
  // The loader always resolves this name to its own module, even when the folder has such a package.
  const paths: Record<string, string[]> = { tslab: [join(kernelRoot, "dist", "kernel", "host", "load", "tslab.d.ts")] };
  if (!hasOwn("halftone")) {
    const entry = typesEntry(kernelRoot);
    if (entry) paths.halftone = [entry];
    for (const [subpath, types] of Object.entries(subpathTypes(kernelRoot))) paths[`halftone/${subpath}`] = [types];
  }
  for (const name of [...dependencies(), ...tensorflow]) {
    if (hasOwn(name)) continue;
    const folder = folderOf(join(kernelRoot, "dist"), name);
    const entry = folder && typesEntry(folder);
    if (!folder || !entry) continue;
    paths[name] = [entry];
    paths[`${name}/*`] = [join(folder, "*")];
  }
  const engine = paths["@tensorflow/tfjs-node-gpu"];
  for (const name of ["@tensorflow/tfjs", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node"])
    if (engine && !hasOwn(name)) paths[name] ??= engine;
  return paths;
}

/** The `@types` folders: first the notebook's, then the kernel's. */
export function typeRoots(cwd: string): string[] {
  const roots: string[] = [];
  for (const start of [cwd, join(kernelRoot, "dist")]) {
    findUp(start, (folder) => {
      const types = join(folder, "node_modules", "@types");
      if (existsSync(types) && !roots.includes(types)) roots.push(types);
      return undefined;
    });
  }
  return roots;
}

function folderOf(from: string, name: string): string | undefined {
  return findUp(from, (folder) => {
    const found = join(folder, "node_modules", name);
    return existsSync(found) ? found : undefined;
  });
}

function typesEntry(folder: string): string | undefined {
  const manifest = readManifest(join(folder, "package.json"));
  if (!manifest) return undefined;
  const named = fromExports(manifest.exports) ?? manifest.types ?? manifest.typings ?? manifest.main ?? "index.js";
  return declarationOf(folder, named);
}

function declarationOf(folder: string, named: string): string | undefined {
  const declared = /\.d\.[cm]?ts$/.test(named)
    ? named
    : named.replace(/(\.[cm]?)js$/, ".d$1ts").replace(/\.d\.([cm])ts$/, ".d.$1ts");
  const file = resolve(folder, declared);
  return existsSync(file) ? file : undefined;
}

function fromExports(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  const table = exports as Record<string, unknown>;
  if ("." in table) return fromExports(table["."]);
  for (const condition of ["types", "import", "node", "default", "require"]) {
    const found = fromExports(table[condition]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readManifest(file: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

function findUp<Found>(start: string, look: (folder: string) => Found | undefined): Found | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    const found = look(folder);
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return undefined;
  }
}
