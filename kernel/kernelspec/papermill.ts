/**
 * Puts the papermill plug-in among a Python's packages, in the form in which an installer would leave it, so that pip lists it and can
 * remove it. Nothing is downloaded and no Python code runs.
 */
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../src/base/folders.ts";
import { assets } from "./assets.ts";

const MODULE = "halftone_papermill";
const VERSION = "1";
const INFO = `${MODULE}-${VERSION}.dist-info`;

/** The module's path, or undefined when the folder cannot be written. */
export function addPapermillPlugin(packages: string): string | undefined {
  const info = path.join(packages, INFO);
  const file = path.join(packages, `${MODULE}.py`);
  try {
    removePapermillPlugin(packages);
    makeFolder(info);
    copyFileSync(path.join(assets, "papermill", `${MODULE}.py`), file);
    const summary = "Lets papermill set parameters of TypeScript notebooks";
    writeFileSync(
      path.join(info, "METADATA"),
      `Metadata-Version: 2.1\nName: ${MODULE.replace("_", "-")}\nVersion: ${VERSION}\nSummary: ${summary}\n`,
    );
    writeFileSync(path.join(info, "entry_points.txt"), `[papermill.engine]\nhalftone = ${MODULE}:Engine\n`);
    writeFileSync(path.join(info, "INSTALLER"), "halftone\n");
    const files = [
      `${MODULE}.py`,
      ...["METADATA", "entry_points.txt", "INSTALLER", "RECORD"].map((name) => `${INFO}/${name}`),
    ];
    writeFileSync(path.join(info, "RECORD"), files.map((name) => `${name},,\n`).join(""));
    return file;
  } catch {
    return undefined;
  }
}

export function removePapermillPlugin(packages: string): void {
  if (!existsSync(packages)) return;
  for (const name of readdirSync(packages)) {
    const ours = name === `${MODULE}.py` || (name.startsWith(`${MODULE}-`) && name.endsWith(".dist-info"));
    if (ours) rmSync(path.join(packages, name), { recursive: true });
  }
}
