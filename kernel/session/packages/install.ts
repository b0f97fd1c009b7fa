/** Installs packages into a folder of the notebook's own, all of them or none. */

import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { counted } from "../../../src/base/counted.ts";
import { refusing } from "../../../src/base/files.ts";
import { makeFolder } from "../../../src/base/folders.ts";
import { UserError } from "../../../src/base/user-error.ts";
import { withLock } from "../../../src/runtime/setup/with-lock.ts";
import { hasTypes } from "../../check/program/packages.ts";
import type { PackageRequest, WantedPackage } from "../../magics/packages.ts";
import { InstallError, type NpmOptions, npm } from "./npm.ts";

export interface InstalledPackage {
  name: string;
  version: string;
}

interface Options extends Omit<NpmOptions, "cwd" | "onFetched"> {
  /** The notebook's own folder. */
  folder: string;
  /** Called with what is done, in a line; called only when there is something to do. */
  onProgress: (line: string) => void;
}

/** `halftone.scripts` are the packages whose install scripts ran. */
const manifest = v.object({
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  devDependencies: v.optional(v.record(v.string(), v.string()), {}),
  halftone: v.optional(v.object({ scripts: v.array(v.string()) }), { scripts: [] }),
});
type Manifest = v.InferOutput<typeof manifest>;

/**
 * Installs what is not there yet, and returns the version of each package.
 * @throws InstallError with a sentence; what was installed before is then as it was
 */
export async function installPackages(request: PackageRequest, options: Options): Promise<InstalledPackage[]> {
  const { folder } = options;
  if (request.problem !== undefined) throw new InstallError(request.problem);
  try {
    if (!isInstalled(request, folder)) {
      refusing(folder, () => makeFolder(folder), "move the notebook to a folder that can be written");
      await withLock(
        folder,
        (pid) => options.onProgress(`Waiting for process ${pid}, which installs packages of this notebook`),
        async () => {
          if (!isInstalled(request, folder)) await install(request, options);
        },
      );
    }
  } catch (error) {
    throw error instanceof UserError ? new InstallError(error.message) : error;
  }
  return request.packages.map(({ name }) => ({ name, version: versionIn(folder, name) ?? "of unknown version" }));
}

/**
 * The versions that a lock has.
 * @throws InstallError when it lacks one
 */
export function lockedPackages({ packages }: PackageRequest, folder: string): InstalledPackage[] {
  return packages.map(({ name }) => {
    const version = versionIn(folder, name);
    if (version === undefined)
      throw new InstallError(`the lock has no package ${name}: run with --lock to create a lock that has it`);
    return { name, version };
  });
}

function isInstalled({ packages, scripts }: PackageRequest, folder: string): boolean {
  const { dependencies, halftone } = readManifest(folder);
  const locked = lockedVersions(folder);
  const isThere = ({ name, range }: WantedPackage) => {
    const version = versionIn(folder, name);
    return (
      Object.hasOwn(dependencies, name) &&
      (range === undefined || dependencies[name] === range) &&
      version !== undefined &&
      version === (locked.get(name) ?? version)
    );
  };
  return packages.every(isThere) && scripts.every((name) => halftone.scripts.includes(name));
}

/** Works in a folder beside `node_modules`, which then takes its place. */
async function install({ packages, scripts }: PackageRequest, options: Options): Promise<void> {
  const { folder, onProgress, ...rest } = options;
  const names = packages.map(({ name, range }) => (range === undefined ? name : `${name}@${range}`)).join(", ");
  let fetched = 0;
  const onFetched = () => {
    fetched++;
    onProgress(`Installing ${names}: ${counted(fetched, "file")} fetched`);
  };
  onProgress(`Installing ${names}`);
  const stage = refusing(folder, () => mkdtempSync(join(folder, ".stage-")), "make room there");
  try {
    const run = (...args: string[]) => npm(args, { ...rest, cwd: stage, onFetched });
    const wanted = merged(readManifest(folder), packages, scripts);
    writeManifest(stage, wanted);
    if (existsSync(join(folder, "package-lock.json")))
      copyFileSync(join(folder, "package-lock.json"), join(stage, "package-lock.json"));
    await run("install", "--ignore-scripts", "--omit-lockfile-registry-resolved");
    for (const { name } of packages) await addTypes(name, stage, run);
    for (const name of wanted.halftone.scripts) await build(name, run);
    takePlace(stage, folder);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function merged(before: Manifest, packages: readonly WantedPackage[], scripts: readonly string[]): Manifest {
  const dependencies = { ...before.dependencies };
  for (const { name, range } of packages) dependencies[name] = range ?? dependencies[name] ?? "*";
  return { ...before, dependencies, halftone: { scripts: [...new Set([...before.halftone.scripts, ...scripts])] } };
}

/** Adds `@types` of a package that has no types itself, where there are some. */
async function addTypes(name: string, stage: string, run: (...args: string[]) => Promise<void>): Promise<void> {
  if (name.startsWith("@types/") || hasTypes(stage, name)) return;
  const types = `@types/${name.replace(/^@(.*)\//, "$1__")}`;
  const major = versionIn(stage, name)?.split(".")[0];
  for (const version of [major, "latest"]) {
    try {
      await run(
        "install",
        "--save-dev",
        "--ignore-scripts",
        "--omit-lockfile-registry-resolved",
        `${types}@${version}`,
      );
      return;
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      // Only where there are types, but not of this version, are others asked for.
      if (error.code !== "ETARGET") return;
    }
  }
}

/** Runs the install scripts of a package that the user allowed by name. */
async function build(name: string, run: (...args: string[]) => Promise<void>): Promise<void> {
  try {
    await run("rebuild", name, "--ignore-scripts=false");
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    throw new InstallError(`the install script of ${name} failed, so nothing was installed: ${error.message}`);
  }
}

/** Packages with install scripts that did not run. */
export function unscripted(folder: string): string[] {
  const allowed = readManifest(folder).halftone.scripts;
  try {
    const lock = JSON.parse(readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8"));
    return Object.entries<{ hasInstallScript?: boolean }>(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([place]) => place.replace(/^.*node_modules\//, ""))
      .filter((name) => !allowed.includes(name));
  } catch {
    return [];
  }
}

function takePlace(stage: string, folder: string): void {
  const old = join(stage, "old");
  const modules = join(folder, "node_modules");
  const place = () => {
    if (existsSync(modules)) renameSync(modules, old);
    makeFolder(join(stage, "node_modules"));
    renameSync(join(stage, "node_modules"), modules);
    for (const file of ["package.json", "package-lock.json"])
      if (existsSync(join(stage, file))) renameSync(join(stage, file), join(folder, file));
    writeFileSync(join(folder, ".gitignore"), "node_modules\n.stage-*\n");
  };
  refusing(folder, place, "make room there");
}

/** The version that is installed. */
export function versionIn(folder: string, name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version as string;
  } catch {
    return undefined;
  }
}

/** The version of each package in the package-lock.json, which may be newer than what is installed: a colleague's, or git's. */
function lockedVersions(folder: string): Map<string, string> {
  try {
    const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
    const found = new Map<string, string>();
    for (const [place, { version }] of Object.entries<{ version?: string }>(packages))
      if (version !== undefined) found.set(place.replace(/^node_modules\//, ""), version);
    return found;
  } catch {
    return new Map();
  }
}

function readManifest(folder: string): Manifest {
  try {
    return v.parse(manifest, JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  } catch {
    return v.parse(manifest, {});
  }
}

function writeManifest(folder: string, content: Manifest): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true, ...content }, null, 2)}\n`);
}
