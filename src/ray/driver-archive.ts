import { readFileSync } from "node:fs";
import path from "node:path";
import { strToU8, zipSync } from "fflate";

/** The folder of a Ray job: the driver, a file of src, with what it imports, job.json for it, and the project that its tasks unpack. */
export function driverArchive(driver: string, job: object, project: Uint8Array): Uint8Array {
  // From dist/src/... to src/..., because the TypeScript compiler does not copy Python files.
  const python = (file: string) => readFileSync(new URL(`../../../src/${file}`, import.meta.url));
  return zipSync({
    [path.basename(driver)]: python(driver),
    "cluster.py": python("ray/cluster.py"),
    "job.json": strToU8(JSON.stringify(job)),
    "project.zip": project,
  });
}
