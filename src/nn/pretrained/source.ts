import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { HubError, type HubOptions, hubSnapshot } from "../../data/index.ts";
import { pythonPackage } from "./python-package.ts";

/**
 * The folder with a model's config.json: a folder, or the one inside it that has one; of a package of npm (`npm:NAME`) or of Python
 * (`pip:NAME`); or the snapshot of a name on the Hugging Face hub.
 *
 * @throws Error when there is none or there are several, or the package or the name on the hub cannot be found
 */
export async function folderOf(source: string, hub: HubOptions | undefined): Promise<string> {
  const [kind, name] = [/^(npm|pip):/.exec(source)?.[1], source.slice(4)];
  if (kind === "npm") return modelFolder(npmPackage(name), source);
  if (kind === "pip") return modelFolder(await pythonPackage(name), source);
  if (statSync(source, { throwIfNoEntry: false })?.isDirectory()) return modelFolder([source], source);
  if (existsSync(source)) throw new Error(`pretrained: ${source} is a file: give its folder`);
  if (/^[./~]/.test(source) || path.isAbsolute(source) || source.split("/").length > 2)
    throw new Error(`pretrained: ${source} is not a folder`);
  try {
    return await hubSnapshot(source, hub);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new HubError(error.failure, `pretrained: there is no folder ${source}, and ${error.message}`, {
      cause: error,
    });
  }
}

/** How far inside a package a model is looked for. */
const DEPTH = 3;

function modelFolder(roots: readonly string[], source: string): string {
  const found = roots.flatMap((root) => foldersWith("config.json", root, DEPTH));
  // A package may have other files of that name.
  const models = found.filter((folder) =>
    readdirSync(folder).some((name) => /\.safetensors(\.index\.json)?$/.test(name)),
  );
  const candidates = models.length > 0 ? models : found;
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length === 0)
    throw new Error(`pretrained: ${source} has no config.json: give a folder that save_pretrained wrote`);
  throw new Error(`pretrained: ${source} has several models: give the folder of one of them, ${candidates.join(", ")}`);
}

/** The folder itself where it has the file, or else those inside it that have. */
function foldersWith(file: string, folder: string, depth: number): string[] {
  if (existsSync(path.join(folder, file))) return [folder];
  if (depth === 0) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
    .flatMap(({ name }) => foldersWith(file, path.join(folder, name), depth - 1));
}

/** The folder of an installed package, looked for as Node.js does from the current folder on. */
function npmPackage(name: string): [string] {
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    const own = path.join(folder, "node_modules", name);
    if (name !== "" && existsSync(path.join(own, "package.json"))) return [own];
    if (path.dirname(folder) === folder)
      throw new Error(`pretrained: the package ${name} is not installed in ${process.cwd()}: npm install ${name}`);
  }
}
