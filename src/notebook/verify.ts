import { statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { compareOutputs, type Difference } from "./compare.ts";
import { inputFiles, sourceHash } from "./identity.ts";
import { type CodeCell, type Notebook, readNotebook } from "./nbformat.ts";
import { hasTag } from "./parameters.ts";
import { whatIsAt } from "./read-text.ts";
import { type RunRecord, runRecord } from "./record.ts";
import { type RunOptions, runNotebook } from "./run.ts";

/** The default tolerance when the library, device or number of threads differs, because sums are then added in another order. */
export const OTHER_MACHINE_TOLERANCE = 1e-3;

export interface VerifyOptions extends Pick<RunOptions, "signal" | "timeout" | "onCellStart" | "onCellEnd"> {
  /** The folder to run in (default: the folder of the recorded run). */
  folder?: string;
  /** The tolerance for cells without their own (default: 0, or `OTHER_MACHINE_TOLERANCE` if the machine or library differs). */
  tolerance?: number;
}

export interface Verified {
  /** The number of cells with outputs that were compared, and how many of them only by kind, because they show times. */
  compared: number;
  byKind: number;
  /** The tolerance for cells without their own. */
  tolerance: number;
  /** What has changed since the report was made. */
  warnings: string[];
  differing: (Difference & { cell: CodeCell; number: number })[];
  interrupted: boolean;
}

/** Runs an executed notebook again, with its recorded parameters, threads and variables, and compares its cells' outputs. */
export async function verifyNotebook(file: string, options: VerifyOptions): Promise<Verified> {
  const report = readNotebook(file);
  const record = runRecord(report);
  if (!record?.status)
    throw new UserError(`${file} has no record of a run: create it with \`halftone run\`, then verify it.`);
  if (record.status === "interrupted" || record.status === "running")
    throw new UserError(`${file} did not finish its run (${record.status}), so there is nothing to compare with.`);
  const folder = options.folder ?? sourceFolder(file, record);
  if (!whatIsAt(folder, { option: "--folder", wanted: "a folder" })?.isDirectory())
    throw new UserError(`There is no folder at --folder ${folder}.`);
  const warnings = changedFiles(file, report, record, folder);
  const again = structuredClone(report);
  const { status } = await runNotebook(again, {
    ...options,
    name: file,
    file: record.source?.path ?? file,
    folder: path.resolve(folder),
    env: recordedEnvironment(record),
  });
  const now = again.metadata.halftone as RunRecord;
  warnings.push(...changedVersions(record, now));
  const verified: Verified = {
    compared: 0,
    byKind: 0,
    tolerance: options.tolerance ?? (isBitExact(record, now) ? 0 : OTHER_MACHINE_TOLERANCE),
    warnings,
    differing: [],
    interrupted: status === "interrupted",
  };
  for (const [at, cell] of report.cells.entries()) {
    const repeated = again.cells[at]!;
    if (cell.cell_type !== "code" || repeated.cell_type !== "code") continue;
    if (cell.outputs.length + repeated.outputs.length === 0) continue;
    const kindsOnly = hasTag(cell, "timing");
    const tolerance = statedTolerance(cell) ?? verified.tolerance;
    const difference = compareOutputs(cell.outputs, repeated.outputs, { tolerance, kindsOnly });
    verified.compared++;
    if (kindsOnly) verified.byKind++;
    if (difference) verified.differing.push({ ...difference, cell, number: at + 1 });
  }
  return verified;
}

/** `"halftone": { "tolerance": 1e-3 }` in a cell's metadata. */
function statedTolerance({ metadata, source }: CodeCell): number | undefined {
  const given = (metadata.halftone as { tolerance?: unknown } | undefined)?.tolerance;
  if (given === undefined) return undefined;
  if (typeof given === "number" && given >= 0) return given;
  throw new UserError(
    `halftone.tolerance in a cell's metadata must be a number of at least 0, got ${JSON.stringify(given)}, in the cell that begins "${source.split("\n")[0]}".`,
  );
}

function sourceFolder(file: string, { source }: Partial<RunRecord>): string {
  const own = path.dirname(file);
  const folder = source?.path === undefined ? own : path.dirname(path.resolve(own, source.path));
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : own;
}

function changedFiles(file: string, report: Notebook, record: Partial<RunRecord>, folder: string): string[] {
  const warnings: string[] = [];
  const source = record.source?.path && path.resolve(path.dirname(file), record.source.path);
  if (
    source &&
    statSync(source, { throwIfNoEntry: false })?.isFile() &&
    sourceHash(readNotebook(source)) !== record.source?.sha256
  )
    warnings.push(`${path.relative("", source)} was changed after it was run; the report's own cells are run`);
  const now = inputFiles(report, path.resolve(folder));
  for (const [name, { sha256 }] of Object.entries(record.inputs ?? {})) {
    if (!now[name]) warnings.push(`the input ${name} is no longer in ${folder}`);
    else if (now[name].sha256 !== sha256) warnings.push(`the input ${name} was changed`);
  }
  return warnings;
}

/** Sets the recorded number of threads, because sums depend on it. The record holds listed variables only. */
function recordedEnvironment({ runtime, variables }: Partial<RunRecord>): NodeJS.ProcessEnv {
  const threads = runtime && { TF_NUM_INTRAOP_THREADS: String(runtime.threads) };
  return { ...process.env, ...threads, ...variables };
}

/** The same library on the same kind of device with as many threads computes the same bits. */
function isBitExact({ runtime: was, cpu }: Partial<RunRecord>, { runtime: is, cpu: cpuNow }: RunRecord): boolean {
  if (!was && !is) return true;
  return (
    was?.librarySha256 === is?.librarySha256 &&
    was?.version === is?.version &&
    was?.device === is?.device &&
    was?.threads === is?.threads &&
    was?.gpu === is?.gpu &&
    cpu?.model === cpuNow.model
  );
}

function changedVersions(was: Partial<RunRecord>, is: RunRecord): string[] {
  const facts = (record: Partial<RunRecord>): Record<string, string | undefined> => ({
    Halftone: `${record.version} (build ${record.build})`,
    Node: record.node,
    system: record.platform,
    processor: record.cpu?.model,
    backend: record.runtime && `${record.runtime.backend} ${record.runtime.version} on the ${record.runtime.device}`,
    "native library": record.runtime?.librarySha256?.slice(0, 16),
    GPU: record.runtime?.gpu,
    threads: record.runtime && String(record.runtime.threads),
    ...record.packages,
  });
  const [before, now] = [facts(was), facts(is)];
  return Object.keys({ ...before, ...now })
    .filter((name) => before[name] !== now[name])
    .map((name) => `${name} was ${before[name] ?? "missing"}, now ${now[name] ?? "missing"}`);
}
