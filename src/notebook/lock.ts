import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { writeWhole } from "../base/files.ts";
import { recordOf } from "../base/json-schema.ts";
import { UserError } from "../base/user-error.ts";
import { halftoneVersion } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";
import { type ImportedPackage, importedPackages, type PackagePlaces } from "./packages.ts";
import { readTextFile, whatIsAt } from "./read-text.ts";

/** An entry of npm's lockfile (version 3). */
const entry = v.looseObject({
  version: v.optional(v.string()),
  resolved: v.optional(v.string()),
  integrity: v.optional(v.string()),
  link: v.optional(v.boolean()),
  dependencies: v.optional(recordOf(v.string())),
  optionalDependencies: v.optional(recordOf(v.string())),
  peerDependencies: v.optional(recordOf(v.string())),
});
type Entry = v.InferOutput<typeof entry>;
const entries = recordOf(entry);

const schema = v.object({
  halftone: v.object({
    version: v.string(),
    build: v.string(),
    node: v.string(),
    /** Packages that came with halftone. */
    own: recordOf(v.string()),
    /** Whether the lock also holds all dependencies of the packages. */
    whole: v.boolean(),
  }),
  name: v.string(),
  lockfileVersion: v.literal(3),
  packages: entries,
});
/** The exact packages of a run: npm's lockfile, restricted to what the notebook imports, and the packages that came with halftone. */
export type Lock = v.InferOutput<typeof schema>;

/**
 * Locks the packages that the notebook imports and their dependencies, at the versions in `node_modules`. If npm did not install them,
 * only the imported packages themselves are locked.
 * @throws UserError if a package is a link to a local folder
 */
export function lockPackages(notebook: Notebook, name: string, places: PackagePlaces): Lock {
  const found = importedPackages(notebook, places);
  const imported = found.filter(({ builtIn }) => !builtIn);
  const foreign = [...imported, ...imported.flatMap((each) => typesOf(each) ?? [])];
  const packages: Record<string, Entry> = {};
  let whole = true;
  for (const { name: each, root } of foreign) {
    const installed = installedPackages(root);
    if (!installed) whole = false;
    else addWithDependencies(`node_modules/${each}`, installed, packages);
  }
  const versions = (list: typeof found) => Object.fromEntries(list.map((each) => [each.name, each.version]));
  const { version, build } = halftoneVersion();
  return {
    halftone: { version, build, node: process.version, own: versions(found.filter((each) => each.builtIn)), whole },
    name,
    lockfileVersion: 3,
    packages: { "": { dependencies: versions(foreign) }, ...(whole ? sorted(packages) : {}) },
  };
}

/** The package of types beside a package that has none itself. */
function typesOf({ name, root }: ImportedPackage): ImportedPackage | undefined {
  const types = `@types/${name.replace(/^@(.*)\//, "$1__")}`;
  const version = installedPackages(root)?.[`node_modules/${types}`]?.version;
  return version === undefined ? undefined : { name: types, version, root, builtIn: false };
}

export function writeLock(file: string, lock: Lock): void {
  writeWhole(file, `${JSON.stringify(lock, null, 1)}\n`);
}

export function readLock(file: string): Lock {
  const request = { option: "--from-lock", wanted: "a lock" };
  if (!whatIsAt(file, request)) throw new UserError(`There is no lock at ${file}: \`halftone run --lock\` writes one.`);
  const text = readTextFile(file, request);
  try {
    return v.parse(schema, JSON.parse(text));
  } catch {
    throw new UserError(`${file} is not a lock that \`halftone run --lock\` wrote.`);
  }
}

export function lockHash(lock: Lock): string {
  return createHash("sha256").update(JSON.stringify(lock.packages)).digest("hex").slice(0, 16);
}

/** npm's list of the packages that it installed in `root`'s `node_modules`; undefined if there is none. */
function installedPackages(root: string): Record<string, Entry> | undefined {
  try {
    const file = path.join(root, "node_modules", ".package-lock.json");
    return v.parse(v.object({ packages: entries }), JSON.parse(readFileSync(file, "utf8"))).packages;
  } catch {
    return undefined;
  }
}

function addWithDependencies(place: string, installed: Record<string, Entry>, into: Record<string, Entry>): void {
  const { resolved, ...found } = installed[place] ?? {};
  if (found.link || (resolved && !found.integrity))
    throw new UserError(`${place} cannot be locked: it comes from ${resolved ?? "a link"}, not from a registry.`);
  if (into[place]) {
    if (into[place].version === found.version) return;
    throw new UserError(
      `${place} cannot be locked: it is installed twice, as ${into[place].version} and ${found.version}.`,
    );
  }
  // Without `resolved`, npm uses its configured registry; `integrity` guarantees that the package is the same.
  into[place] = found;
  const dependencies = { ...found.dependencies, ...found.optionalDependencies, ...found.peerDependencies };
  for (const name of Object.keys(dependencies)) {
    const at = nearest(place, name, installed);
    if (at && !into[at]) addWithDependencies(at, installed, into);
  }
}

/** Where Node finds `name` for the package at `place`. */
function nearest(place: string, name: string, installed: Record<string, Entry>): string | undefined {
  for (let from = place; from !== ""; from = from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/")))) {
    if (installed[`${from}/node_modules/${name}`]) return `${from}/node_modules/${name}`;
  }
  return installed[`node_modules/${name}`] && `node_modules/${name}`;
}

function sorted(packages: Record<string, Entry>): Record<string, Entry> {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}
