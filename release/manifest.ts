// The package.json of the package, made from that of the checkout.
import { readFileSync } from "node:fs";
import path from "node:path";
import { copied, copiedTypes, inlinedPackages } from "./contents.ts";

interface Export {
  types: string;
  default: string;
}
interface Manifest {
  version: string;
  exports: Record<string, Export | string>;
  dependencies: Record<string, string>;
  [field: string]: unknown;
}

export const readManifest = (root: string): Manifest =>
  JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;

/** The compiled modules that users import, as paths without an ending. */
export const entryPoints = ({ exports }: Manifest): string[] =>
  Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.default.replace(/\.js$/, "")]));

/**
 * Without `overrides` (npm ignores those of a dependency), scripts and development packages. Each entry has a CommonJS twin with types of its own,
 * so that a checker takes neither for the other.
 */
export function packageManifest(
  root: string,
  dependenciesOfCopied: readonly string[],
  platforms: readonly string[],
): object {
  const own = readManifest(root);
  const exports: Record<string, unknown> = {};
  const typesVersions: Record<string, string[]> = {};
  for (const [name, entry] of Object.entries(own.exports)) {
    if (typeof entry === "string") {
      exports[name] = entry;
      continue;
    }
    const file = entry.default.replace(/\.js$/, "");
    exports[name] = {
      import: { types: `${file}.d.ts`, default: `${file}.js` },
      require: { types: `${file}.d.cts`, default: `${file}.cjs` },
    };
    // For TypeScript's moduleResolution "node10", which does not read `exports`.
    if (name !== ".") typesVersions[name.slice(2)] = [`${file}.d.cts`];
  }
  const dependencies: Record<string, string> = { ...own.dependencies };
  for (const name of [...inlinedPackages, ...copied, ...copiedTypes]) delete dependencies[name];
  for (const name of dependenciesOfCopied) dependencies[name] = versionOf(root, name);
  const { name, version, description, license, type, engines, bin, peerDependencies, peerDependenciesMeta } = own;
  return {
    ...{ name, version, description, license, type, engines, bin },
    ...{
      main: "./dist/src/index.cjs",
      types: "./dist/src/index.d.cts",
      exports,
      typesVersions: { "*": typesVersions },
    },
    ...{ files: ["dist", "src", "kernel", "environment.md", "THIRD-PARTY-LICENSES.txt"] },
    dependencies: sorted(dependencies),
    optionalDependencies: {
      ...esbuildBinaries(root),
      ...Object.fromEntries(platforms.map((platform) => [`@halftone/native-${platform}`, version])),
    },
    copies: copied,
    ...{ peerDependencies, peerDependenciesMeta },
  };
}

/** The package.json of a copied package: no install script, no dependencies of its own, all of its files. */
export function copiedManifest(text: string): string {
  const { name, version, license, main, types, typesVersions, exports, type, binary } = JSON.parse(text) as Record<
    string,
    unknown
  >;
  return `${JSON.stringify({ name, version, license, main, types, typesVersions, exports, type, binary }, null, 2)}\n`;
}

/** The binaries of the copied esbuild, of which a package manager installs one. */
const esbuildBinaries = (root: string): Record<string, string> =>
  (
    JSON.parse(readFileSync(path.join(root, "node_modules/esbuild/package.json"), "utf8")) as {
      optionalDependencies: Record<string, string>;
    }
  ).optionalDependencies;

function versionOf(root: string, name: string): string {
  const file = path.join(root, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

const sorted = (record: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
