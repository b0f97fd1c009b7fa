import { dirname, resolve } from "node:path";

/** The folder of a notebook's file, and an environment that names the file as Jupyter Server does. */
export function placeOf(file: string): { cwd: string; env: NodeJS.ProcessEnv } {
  const path = resolve(file);
  return { cwd: dirname(path), env: { ...process.env, JPY_SESSION_NAME: path } };
}
