/** The packages that cells install: a folder of the notebook's own, with npm's package.json, lockfile and `node_modules`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** `.halftone/NAME` in the notebook's folder. Jupyter Server and `halftone run` tell the notebook's name; otherwise it is `notebook`. */
export function ownPackagesFolder(cwd: string, { JPY_SESSION_NAME: file = "" }: NodeJS.ProcessEnv): string {
  const name = /([^/\\]+?)(?:\.executed)?\.ipynb$/.exec(file)?.[1] ?? "notebook";
  return join(cwd, ".halftone", name);
}

/** The packages that were asked for, with the versions that were asked for. */
export function ownDependencies(folder: string): Record<string, string> {
  try {
    return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).dependencies ?? {}) as Record<
      string,
      string
    >;
  } catch {
    return {};
  }
}
