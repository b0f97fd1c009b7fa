/** Where Jupyter looks for kernels, and where a Python looks for packages (jupyter_core's `paths` module). */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "../../src/base/user-error.ts";

/** Where to install: for this user, into the active Python environment, or under a folder of one's own. */
export type InstallTarget = { kind: "user" } | { kind: "sys-prefix" } | { kind: "prefix"; folder: string };

export function kernelsFolder(place: InstallTarget): string {
  switch (place.kind) {
    case "user":
      return path.join(userDataFolder(), "kernels");
    case "sys-prefix":
      return path.join(sysPrefix(), "share", "jupyter", "kernels");
    case "prefix":
      return path.join(path.resolve(place.folder), "share", "jupyter", "kernels");
  }
}

/** Every folder in which Jupyter would find a kernel, first match first. */
export function searchedFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const listed = (env.JUPYTER_PATH ?? "").split(path.delimiter).filter(Boolean);
  const prefix = trySysPrefix();
  const folders = [
    ...listed,
    userDataFolder(env),
    ...(prefix ? [path.join(prefix, "share", "jupyter")] : []),
    "/usr/local/share/jupyter",
    "/usr/share/jupyter",
  ];
  return [...new Set(folders)].map((folder) => path.join(folder, "kernels"));
}

/** Where the Python of that place finds packages; undefined when there is no such Python. */
export function sitePackages(place: InstallTarget): string | undefined {
  const python = place.kind === "prefix" ? pythonIn(place.folder) : activePython();
  if (!python) return undefined;
  const inUserSite = place.kind === "user" ? "site.ENABLE_USER_SITE and sys.prefix == sys.base_prefix" : "False";
  const script = `import site, sys, sysconfig
print(site.getusersitepackages() if ${inUserSite} else sysconfig.get_path("purelib"))`;
  return ask(python, script);
}

/** What is installed beside the Jupyter of that place; undefined when there is no Jupyter. */
export function jupyterPackages(place: InstallTarget): { python: string; packages: string[] } | undefined {
  const own = place.kind === "prefix" ? pythonIn(path.resolve(place.folder)) : activePython();
  const candidates = place.kind === "user" ? [own, pythonOfJupyter(), ...pythonsInHome()] : [own];
  for (const python of candidates) {
    if (python === undefined) continue;
    const names = ["jupyter_server", "notebook", "plotly", "ipywidgets"];
    const script = `import importlib.util as u
print(" ".join(n for n in ${JSON.stringify(names)} if u.find_spec(n)))`;
    const packages = ask(python, script)?.split(" ") ?? [];
    if (packages.includes("jupyter_server") || packages.includes("notebook")) return { python, packages };
  }
  return undefined;
}

/** The Python that the `jupyter` command on the PATH names in its first line, as pipx and conda leave it. */
function pythonOfJupyter(): string | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  for (const name of ["jupyter-lab", "jupyter"]) {
    const command = folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
    if (!command) continue;
    try {
      const named = /^#!\s*(\S*python\S*)/.exec(readFileSync(command, "latin1").slice(0, 500))?.[1];
      if (named && existsSync(named)) return named;
    } catch {
      // A command that cannot be read is ignored.
    }
  }
  return undefined;
}

/** Where pipx, uv and conda put a Jupyter whose commands are not on the PATH. */
function pythonsInHome(): string[] {
  const tools = ["jupyterlab", "jupyter", "jupyter-core", "notebook"];
  const folders = [
    ...tools.map((name) => path.join(".local/share/pipx/venvs", name)),
    ...tools.map((name) => path.join(".local/share/uv/tools", name)),
    ...["miniforge3", "mambaforge", "miniconda3", "anaconda3"],
  ];
  return folders.flatMap((folder) => pythonIn(path.join(homedir(), folder)) ?? []);
}

function userDataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR;
  if (process.platform === "darwin") return path.join(homedir(), "Library", "Jupyter");
  if (process.platform === "win32") return path.join(env.APPDATA ?? homedir(), "jupyter");
  return path.join(env.XDG_DATA_HOME || path.join(homedir(), ".local", "share"), "jupyter");
}

function sysPrefix(): string {
  const prefix = trySysPrefix();
  if (prefix) return prefix;
  throw new UserError(
    "--sys-prefix needs the Python that runs Jupyter: no python3 on the PATH. Or give --prefix FOLDER.",
    1,
  );
}

function trySysPrefix(): string | undefined {
  const active = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  if (active) return active;
  const python = activePython();
  return python && ask(python, "import sys; print(sys.prefix)");
}

/** The active environment's Python, else the first on the PATH; unlike setup's `findPython`, also one without pip. */
function activePython(): string | undefined {
  const active = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  return (active && pythonIn(active)) ?? ["python3", "python"].find((name) => ask(name, "print(1)") === "1");
}

function pythonIn(prefix: string): string | undefined {
  const names = [path.join("bin", "python3"), path.join("Scripts", "python.exe"), "python.exe"];
  return names.map((name) => path.join(prefix, name)).find((file) => existsSync(file));
}

function ask(python: string, script: string): string | undefined {
  const { status, stdout } = spawnSync(python, ["-c", script], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
