import path from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { requireWritable, writeWhole } from "../base/files.ts";
import { UserError } from "../base/user-error.ts";
import { missingDownloads } from "../notebook/downloads.ts";
import { environmentFor, inTurns, jobsFor, thisMachine } from "../notebook/jobs.ts";
import { type Lock, lockPackages, readLock, writeLock } from "../notebook/lock.ts";
import { type Notebook, readNotebook, writeNotebook } from "../notebook/nbformat.ts";
import type { PackagePlaces } from "../notebook/packages.ts";
import { type GivenParameters, givenParameters, type Parameters, parametersFor } from "../notebook/parameters.ts";
import { type PlannedRun, planRuns } from "../notebook/plan.ts";
import { runRecord } from "../notebook/record.ts";
import { recreate } from "../notebook/recreate.ts";
import {
  headlineOf,
  type LandingEntry,
  renderLanding,
  renderPage,
  type SharePlotly,
  sharedPlotly,
  titleOf,
} from "../notebook/report/index.ts";
import { earlierRun } from "../notebook/resume.ts";
import { type RunOptions, type RunResult, runNotebook } from "../notebook/run.ts";
import { ProgressBoard } from "./cell-progress.ts";
import { stopOnSignal } from "./stop.ts";

export interface RunFlags extends GivenParameters {
  output?: string;
  allowErrors?: boolean;
  timeout?: number;
  /** Also run notebooks whose executed copy is up to date. */
  fresh?: boolean;
  /** False leaves out notebooks that would download a model. */
  models?: boolean;
  /** Write a lock with the run's exact packages beside the executed copy. */
  lock?: boolean;
  /** A lock whose packages are installed in a separate folder and used. */
  fromLock?: string;
  /** Wait for Chrome or VS Code before the first cell. */
  inspect?: boolean;
  /** The number of notebooks to run at once (default: depends on the machine's cores and memory). */
  jobs?: number;
}

type LoadedRun = PlannedRun & { notebook: Notebook; parameters: Parameters };

/** `halftone run`: exit status 1 if a notebook failed, 130 if the run was interrupted. The executed cells are kept in either case. */
export async function run(inputs: string[], flags: RunFlags): Promise<void> {
  const { runs, folder } = planRuns(inputs, flags.output);
  const board = new ProgressBoard();
  const read = runs
    .map((planned) => ({ ...planned, notebook: readNotebook(planned.input) }))
    .filter(({ input, notebook }) => flags.models !== false || hasDownloads(input, notebook, board));
  const parameters = parametersFor(read, givenParameters(flags));
  const notebooks: LoadedRun[] = read.map((each, at) => ({ ...each, parameters: parameters[at]! }));
  if (flags.fromLock !== undefined && notebooks.length > 1)
    throw new UserError(
      `--from-lock ${flags.fromLock} is the lock of one notebook, but ${notebooks.length} are run: run them separately.`,
    );
  if (flags.inspect && notebooks.length > 1)
    throw new UserError(`--inspect debugs one notebook, but ${notebooks.length} are run: run them separately.`);
  for (const file of outputFiles(notebooks, folder, flags)) requireWritable(file);
  const stop = stopOnSignal();
  const report = folder === undefined ? undefined : new Report(folder);
  const toRun =
    report && !flags.fresh && !flags.lock && !flags.fromLock ? await report.keepEarlier(notebooks, board) : notebooks;
  const failed = await runAll(toRun, { ...flags, signal: stop.signal }, board, report);
  if (report) console.log(`Report: ${await report.write(notebooks)}`);
  else if (notebooks[0]) console.log(notebooks[0].output);
  process.exitCode = stop.signal.aborted ? stop.exitCode() : failed ? 1 : 0;
}

/** Whether a notebook has what it needs from the network. Says so if not. */
function hasDownloads(input: string, notebook: Notebook, board: ProgressBoard): boolean {
  const missing = missingDownloads(notebook);
  if (missing.length > 0)
    board.say(`${input} is left out, because it would download ${missing.join(" and ")}: --models runs it, too`);
  return missing.length === 0;
}

/** All files that will be written. They are checked before the first cell runs. */
function outputFiles(notebooks: LoadedRun[], folder: string | undefined, { lock }: RunFlags): string[] {
  const outputs = notebooks.map(({ output }) => output);
  const pages = folder === undefined ? [] : ["index.html", ...notebooks.map(({ input }) => `${nameOf(input)}.html`)];
  return [...outputs, ...(lock ? outputs.map(lockFileFor) : []), ...pages.map((page) => path.join(folder!, page))];
}

const lockFileFor = (output: string) => output.replace(/(\.executed)?\.ipynb$/, ".lock.json");

async function runAll(
  notebooks: LoadedRun[],
  flags: RunFlags & { signal: AbortSignal },
  board: ProgressBoard,
  report: Report | undefined,
): Promise<boolean> {
  const machine = thisMachine();
  const jobs = Math.min(flags.jobs ?? jobsFor(notebooks.length, machine), Math.max(1, notebooks.length));
  const env = environmentFor(jobs, machine);
  if (jobs > 1)
    board.say(`${jobs} notebooks at a time, with ${env.TF_NUM_INTRAOP_THREADS} of ${machine.cores} cores each`);
  const width = Math.max(...notebooks.map(({ input }) => nameOf(input).length));
  let failed = false;
  await inTurns(jobs, notebooks, async (planned) => {
    if (flags.signal.aborted) return;
    const label = jobs > 1 ? nameOf(planned.input).padEnd(width) : undefined;
    const { status } = await runOne(planned, label, { ...flags, env }, board);
    failed ||= status === "error";
    await report?.add(planned);
  });
  return failed;
}

async function runOne(
  { input, output, notebook, parameters }: LoadedRun,
  label: string | undefined,
  flags: Pick<RunOptions, "allowErrors" | "timeout" | "signal" | "env"> &
    Pick<RunFlags, "lock" | "fromLock" | "inspect">,
  board: ProgressBoard,
): Promise<RunResult> {
  const { allowErrors, timeout, signal, env } = flags;
  board.say(input);
  const folder = path.dirname(path.resolve(input));
  const packages =
    flags.fromLock === undefined ? undefined : await lockedPackages(flags.fromLock, notebook, folder, board);
  const places = { folder, file: input, packages };
  if (flags.lock) board.say(`Lock: ${writeLockFor(notebook, places, output, board)}`);
  const progress = board.notebook(label);
  const result = await runNotebook(notebook, {
    name: input,
    folder,
    ...(packages === undefined ? {} : { packages }),
    source: path.relative(path.dirname(path.resolve(output)), path.resolve(input)).replaceAll("\\", "/"),
    parameters,
    ...(allowErrors === undefined ? {} : { allowErrors }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    ...(env === undefined ? {} : { env }),
    ...(flags.inspect ? { onInspector: (url: string) => sayHowToAttach(url, board) } : {}),
    onCellStart: progress.start,
    onCellEnd: progress.end,
    onChange: () => writeNotebook(output, notebook),
  });
  // Again, because cells may have installed packages.
  if (flags.lock) writeLock(lockFileFor(output), lockFor(notebook, places, output));
  if (result.status === "interrupted") board.say(`Interrupted. The executed cells are in ${output}`);
  if (result.status === "error") board.say(failure(result.failed!, output));
  return result;
}

function sayHowToAttach(url: string, board: ProgressBoard): void {
  const address = url.replace(/^ws:\/\//, "");
  board.say("Waiting for a debugger. Paste into Chrome's address bar:");
  board.say(`  devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws=${address}`);
  board.say("or, in VS Code, into the configurations of launch.json:");
  board.say(`  ${JSON.stringify(configurationFor(url))}`);
}

/** Of js-debug, VS Code's debugger: it passes over this package's code, and reads the source maps of cells, which are no files. */
function configurationFor(websocketAddress: string): object {
  const own = fileURLToPath(new URL("../../", import.meta.url)).replaceAll("\\", "/");
  return {
    type: "node",
    request: "attach",
    name: "Notebook",
    websocketAddress,
    resolveSourceMapLocations: null,
    skipFiles: ["<node_internals>/**", `${own}**`],
  };
}

/** Installs a lock's packages and returns their folder. Warns about versions of Node, Halftone and its packages that differ from the lock. */
async function lockedPackages(file: string, notebook: Notebook, folder: string, board: ProgressBoard): Promise<string> {
  const lock = readLock(file);
  const { version, node, own } = lock.halftone;
  const current = lockPackages(notebook, file, { folder }).halftone;
  const versions = { Node: [node, current.node], Halftone: [version, current.version] } as Record<
    string,
    [string, string?]
  >;
  for (const [name, was] of Object.entries(own)) versions[name] ??= [was, current.own[name]];
  for (const [name, [was, is]] of Object.entries(versions))
    if (is !== undefined && is !== was) board.say(`Warning: ${name} was ${was} when the lock was made, and is ${is}.`);
  return recreate(lock, (message) => board.say(message));
}

function writeLockFor(notebook: Notebook, places: PackagePlaces, output: string, board: ProgressBoard): string {
  const file = lockFileFor(output);
  const lock = lockFor(notebook, places, output);
  if (!lock.halftone.whole)
    board.say("Warning: npm did not install the packages, so their dependencies are not locked.");
  writeLock(file, lock);
  return file;
}

function lockFor(notebook: Notebook, places: PackagePlaces, output: string): Lock {
  return lockPackages(notebook, path.basename(lockFileFor(output), ".lock.json"), places);
}

function failure({ index, total, error }: NonNullable<RunResult["failed"]>, output: string): string {
  const traceback = error.traceback.join("\n") || `${error.ename}: ${error.evalue}`;
  const printed = process.stderr.isTTY ? traceback : stripVTControlCharacters(traceback);
  return `${printed}\nCell ${index + 1} of ${total} failed (${error.ename}). The executed cells are in ${output}`;
}

const nameOf = (input: string) => path.basename(input, ".ipynb");

/** The pages of a folder's notebooks, and the page that lists them. */
class Report {
  readonly #folder: string;
  readonly #entries = new Map<string, LandingEntry>();
  readonly #sharePlotly: SharePlotly;

  constructor(folder: string) {
    this.#folder = folder;
    this.#sharePlotly = sharedPlotly(folder);
  }

  /** Adds the notebooks that an earlier run completed to the report, and returns the others. */
  async keepEarlier(notebooks: LoadedRun[], board: ProgressBoard): Promise<LoadedRun[]> {
    const remaining: LoadedRun[] = [];
    for (const planned of notebooks) {
      const { input, output, notebook, parameters } = planned;
      const folder = path.dirname(path.resolve(input));
      const executed = earlierRun(output, notebook, { folder, parameters, name: input });
      if (!executed) remaining.push(planned);
      else {
        board.say(`${input} is unchanged since its last run (--fresh runs it again)`);
        await this.add({ ...planned, notebook: executed });
      }
    }
    return remaining;
  }

  async add({ input, output, notebook }: LoadedRun): Promise<void> {
    const name = nameOf(input);
    const page = `${name}.html`;
    const html = await renderPage(notebook, {
      name,
      folder: path.dirname(input),
      home: "index.html",
      sharePlotly: this.#sharePlotly,
    });
    writeWhole(path.join(this.#folder, page), html);
    const headline = headlineOf(notebook);
    this.#entries.set(input, {
      title: titleOf(notebook, name),
      page,
      notebook: path.basename(output),
      record: runRecord(notebook) ?? {},
      ...(headline ? { headline } : {}),
    });
  }

  /** The page that lists those of `notebooks` that were added, in their order. */
  async write(notebooks: LoadedRun[]): Promise<string> {
    const index = path.join(this.#folder, "index.html");
    const entries = notebooks.flatMap(({ input }) => this.#entries.get(input) ?? []);
    writeWhole(index, await renderLanding(entries, this.#sharePlotly));
    return index;
  }
}
