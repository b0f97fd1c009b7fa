/**
 * Puts the papermill plug-in among a Python's packages, in the form in which an installer would leave it, so that pip lists it and can
 * remove it. Nothing is downloaded and no Python code runs.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { writeWhole } from "../../src/base/files.ts";
import { assets } from "./assets.ts";

const MODULE = "halftone_papermill";
const VERSION = "1";
const INFO = `${MODULE}-${VERSION}.dist-info`;

/** The module's path, or undefined when the folder cannot be written. Several processes may do it at once, and Python read. */
export function addPapermillPlugin(packages: string): string | undefined {
  const summary = "Lets papermill set parameters of TypeScript notebooks";
  const info = {
    METADATA: `Metadata-Version: 2.1\nName: ${MODULE.replace("_", "-")}\nVersion: ${VERSION}\nSummary: ${summary}\n`,
    "entry_points.txt": `[papermill.engine]\nhalftone = ${MODULE}:Engine\n`,
    INSTALLER: "halftone\n",
  };
  const files = [`${MODULE}.py`, ...[...Object.keys(info), "RECORD"].map((name) => `${INFO}/${name}`)];
  const file = path.join(packages, `${MODULE}.py`);
  const write = (name: string, contents: string | Buffer): void => writeWhole(path.join(packages, name), contents);
  try {
    removePlugin(packages, (name) => name !== `${MODULE}.py` && name !== INFO);
    write(`${MODULE}.py`, readFileSync(path.join(assets, "papermill", `${MODULE}.py`)));
    for (const [name, contents] of Object.entries(info)) write(`${INFO}/${name}`, contents);
    write(`${INFO}/RECORD`, files.map((name) => `${name},,\n`).join(""));
    return file;
  } catch {
    return undefined;
  }
}

export function removePapermillPlugin(packages: string): void {
  removePlugin(packages, () => true);
}

function removePlugin(packages: string, chosen: (name: string) => boolean): void {
  if (!existsSync(packages)) return;
  for (const name of readdirSync(packages)) {
    const ours = name === `${MODULE}.py` || (name.startsWith(`${MODULE}-`) && name.endsWith(".dist-info"));
    if (ours && chosen(name)) rmSync(path.join(packages, name), { recursive: true, force: true });
  }
}
