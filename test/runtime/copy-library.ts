import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };

/** Installs a second copy of the library into `folder/node_modules`, with the dependencies of this one. */
export function copyLibrary(folder: string, as = version): void {
  const copy = path.join(folder, "node_modules/halftone");
  mkdirSync(copy, { recursive: true });
  const filter = (file: string) => !/\.map$|(?<!\.d)\.ts$/.test(file);
  // The sources of the native parts, too.
  for (const part of ["dist/src", "src"])
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true, filter });
  const described = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as object;
  writeFileSync(path.join(copy, "package.json"), JSON.stringify({ ...described, version: as }));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
}
