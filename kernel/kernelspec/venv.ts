/** A Python environment that this program makes for itself, once for each list of packages, in the user's cache. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { refusing } from "../../src/base/files.ts";
import { makeFolder } from "../../src/base/folders.ts";
import { UserError } from "../../src/base/user-error.ts";
import { cacheFolder } from "../../src/runtime/setup/cache.ts";
import { findPython } from "../../src/runtime/setup/python.ts";
import { lastLine, runTool } from "../../src/runtime/setup/run-tool.ts";
import { withLock } from "../../src/runtime/setup/with-lock.ts";

export interface Venv {
  folder: string;
  /** The path of a program in it: `bin("jupyter")`. */
  bin(name: string): string;
}

/** The environment that holds what `requirementsFile` pins; undefined if it was not made yet. */
export function existingVenv(requirementsFile: string): Venv | undefined {
  const { whole, ...found } = placeOf(requirementsFile);
  return existsSync(whole) ? found : undefined;
}

/** Finds or makes the environment that holds what `requirementsFile` pins. Throws what pip said when it cannot be made. */
export async function venv(requirementsFile: string, say: (what: string) => void): Promise<Venv> {
  const { folder, bin, whole } = placeOf(requirementsFile);
  if (existsSync(whole)) return { folder, bin };
  const wait = (pid: string): void =>
    say(`Process ${pid} is creating the Python environment ${folder}; waiting for it`);
  await withLock(folder, wait, async () => {
    if (existsSync(whole)) return;
    const python = findPython();
    if (!python) throw new UserError(`Python 3 is missing: install it (Debian: apt install python3-venv). ${OWN}`, 1);
    const cache = "name another cache with HALFTONE_CACHE";
    refusing(folder, () => rmSync(folder, { recursive: true, force: true }), cache);
    refusing(folder, () => makeFolder(path.dirname(folder)), cache);
    say(`Creating a Python environment in ${folder} (only once; about a minute)`);
    await run(python.command, ["-m", "venv", folder], noVenv);
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-input",
      "--disable-pip-version-check",
      // Python compiles what it imports when it does: far less than all that is installed.
      "--no-compile",
      "-r",
      requirementsFile,
    ];
    await run(bin("python"), pip, noPackages);
    writeFileSync(whole, "");
  });
  return { folder, bin };
}

function placeOf(requirementsFile: string): Venv & { whole: string } {
  const hash = createHash("sha256").update(readFileSync(requirementsFile)).digest("hex").slice(0, 12);
  const folder = path.join(cacheFolder(), "python", hash);
  const bin = (name: string): string => path.join(folder, process.platform === "win32" ? "Scripts" : "bin", name);
  return { folder, bin, whole: path.join(folder, "complete") };
}

const OWN = "Or use a Jupyter of your own: `halftone install` makes the kernel known to it.";

function noVenv(output: string): string {
  const why = /ensurepip is not|No module named venv/.test(output)
    ? "the venv module is missing: install it (Debian: apt install python3-venv)"
    : lastLine(output);
  return `Python cannot create an environment: ${why}. ${OWN}`;
}

function noPackages(output: string): string {
  const offline =
    /connection error|Failed to establish a new connection|Temporary failure in name resolution|Max retries/i;
  const why = offline.test(output)
    ? "the package index cannot be reached: check the network, or pip's index and proxy settings"
    : lastLine(output);
  return `The Python packages could not be installed: ${why}. ${OWN}`;
}

async function run(command: string, args: string[], problem: (output: string) => string): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const { ok, errorText } = await runTool(command, args, { onLine }).catch((error: Error) => {
    throw new UserError(`${command} could not be started: ${error.message}`, 1);
  });
  if (!ok) throw new UserError(problem([...lines, errorText].join("\n")), 1);
}
