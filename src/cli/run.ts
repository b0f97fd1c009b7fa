import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { writeWhole } from "../notebook/files.ts";
import { type Notebook, readNotebook, writeNotebook } from "../notebook/nbformat.ts";
import { type GivenParameters, givenParameters, parametersFor } from "../notebook/parameters.ts";
import { type Planned, planRuns } from "../notebook/plan.ts";
import { type LandingEntry, renderLanding, renderPage, runRecord, titleOf } from "../notebook/report/index.ts";
import { type RunOptions, type RunResult, runNotebook } from "../notebook/run.ts";
import { cellProgress } from "./cell-progress.ts";

export interface RunFlags extends GivenParameters {
  output?: string;
  allowErrors?: boolean;
  timeout?: number;
}

/** `halftone run`: exit status 1 when a notebook failed, 130 when it was interrupted; what ran is kept. */
export async function run(inputs: string[], flags: RunFlags): Promise<void> {
  const { runs, folder } = planRuns(inputs, flags.output);
  const notebooks = runs.map((planned) => ({ ...planned, notebook: readNotebook(planned.input) }));
  const parameters = parametersFor(notebooks, givenParameters(flags));
  const stop = stopOnSignal();
  const entries: LandingEntry[] = [];
  let failed = false;
  for (const [at, planned] of notebooks.entries()) {
    const { status } = await runOne(planned, { ...flags, parameters: parameters[at]!, signal: stop.signal });
    failed ||= status === "error";
    if (folder) entries.push(await writeReport(planned, folder));
    if (status === "interrupted") break;
  }
  if (folder) {
    writeWhole(path.join(folder, "index.html"), renderLanding(entries));
    console.log(`Report: ${path.join(folder, "index.html")}`);
  } else {
    console.log(notebooks[0]!.output);
  }
  process.exitCode = stop.signal.aborted ? stop.exitCode() : failed ? 1 : 0;
}

type Loaded = Planned & { notebook: Notebook };

async function runOne(
  { input, output, notebook }: Loaded,
  flags: Pick<RunOptions, "parameters" | "allowErrors" | "timeout" | "signal">,
): Promise<RunResult> {
  console.error(input);
  const progress = cellProgress();
  const result = await runNotebook(notebook, {
    name: input,
    folder: path.dirname(path.resolve(input)),
    ...flags,
    onCellStart: progress.start,
    onCellEnd: progress.end,
    onChange: () => writeNotebook(output, notebook),
  });
  if (result.status === "interrupted") console.error(`Interrupted. What ran is in ${output}`);
  if (result.status === "error") tellFailure(result.failed!, output);
  return result;
}

function tellFailure({ index, total, error }: NonNullable<RunResult["failed"]>, output: string): void {
  const traceback = error.traceback.join("\n") || `${error.ename}: ${error.evalue}`;
  console.error(process.stderr.isTTY ? traceback : stripVTControlCharacters(traceback));
  console.error(`Cell ${index + 1} of ${total} failed (${error.ename}). What ran is in ${output}`);
}

async function writeReport({ input, output, notebook }: Loaded, folder: string): Promise<LandingEntry> {
  const name = path.basename(input, ".ipynb");
  const page = `${name}.html`;
  const html = await renderPage(notebook, { name, folder: path.dirname(input), home: "index.html" });
  writeWhole(path.join(folder, page), html);
  return { title: titleOf(notebook, name), page, notebook: path.basename(output), record: runRecord(notebook) ?? {} };
}

/** The first signal ends the run in good order; a second one ends this process at once. */
function stopOnSignal(): { signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController();
  let code = 130;
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => {
    code = 143;
    controller.abort();
  });
  return { signal: controller.signal, exitCode: () => code };
}
