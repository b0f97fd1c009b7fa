/** Where Jupyter looks for kernels, and where a Python looks for packages (jupyter_core's `paths` module). */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { SetupProblem } from "../../src/runtime/problem.ts";

/** Where to install: for this user, into the active Python environment, or under a folder of one's own. */
export type Place = { kind: "user" } | { kind: "sys-prefix" } | { kind: "prefix"; folder: string };

export function kernelsFolder(place: Place): string {
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
export function sitePackages(place: Place): string | undefined {
  const python = place.kind === "prefix" ? pythonIn(place.folder) : findPython();
  if (!python) return undefined;
  const inUserSite = place.kind === "user" ? "site.ENABLE_USER_SITE and sys.prefix == sys.base_prefix" : "False";
  const script = `import site, sys, sysconfig
print(site.getusersitepackages() if ${inUserSite} else sysconfig.get_path("purelib"))`;
  return ask(python, script);
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
  throw new SetupProblem(
    "--sys-prefix needs the Python that runs Jupyter: no python3 on the PATH. Or give --prefix FOLDER.",
  );
}

function trySysPrefix(): string | undefined {
  const active = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  if (active) return active;
  const python = findPython();
  return python && ask(python, "import sys; print(sys.prefix)");
}

function findPython(): string | undefined {
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
