import { statSync } from "node:fs";
import { sortedKeys } from "../base/sorted-keys.ts";
import { halftoneVersion, inputFiles, nativeLibraryHash, sourceHash } from "./identity.ts";
import { type Notebook, readNotebook } from "./nbformat.ts";
import { hasTag, injectParameters, type Parameters, parameterValues } from "./parameters.ts";
import { runRecord } from "./record.ts";

/** The executed copy at `output` if it is complete and up to date, so that `notebook` need not run again; otherwise undefined. */
export function earlierRun(
  output: string,
  notebook: Notebook,
  { folder, parameters, name }: { folder: string; parameters: Parameters; name: string },
): Notebook | undefined {
  if (!statSync(output, { throwIfNoEntry: false })?.isFile()) return undefined;
  let executed: Notebook;
  try {
    executed = readNotebook(output);
  } catch {
    return undefined; // A file that is not a notebook is overwritten.
  }
  const record = runRecord(executed);
  if (record?.status !== "ok" || hasError(executed)) return undefined;
  const wanted = structuredClone(notebook);
  injectParameters(wanted, parameters, name);
  const { version, build } = halftoneVersion();
  const same =
    record.version === version &&
    record.build === build &&
    record.source?.sha256 === sourceHash(notebook) &&
    equal(record.parameters, parameterValues(wanted)) &&
    equal(record.inputs, inputFiles(notebook, folder)) &&
    (record.runtime === undefined || record.runtime.librarySha256 === nativeLibraryHash());
  return same ? executed : undefined;
}

/** A run that continued after an error counts as complete only if the cell allows errors. */
function hasError({ cells }: Notebook): boolean {
  return cells.some(
    (cell) =>
      cell.cell_type === "code" &&
      !hasTag(cell, "raises-exception") &&
      !hasTag(cell, "skip-execution") &&
      cell.outputs.some(({ output_type }) => output_type === "error"),
  );
}

/** Keys are sorted in a notebook file but not in a record in memory. */
function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(sortedKeys(a)) === JSON.stringify(sortedKeys(b));
}
