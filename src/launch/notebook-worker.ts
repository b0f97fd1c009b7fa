import type { Notebook } from "../notebook/nbformat.ts";
import { type RunOptions, runNotebook } from "../notebook/run.ts";
import type { Ending, StartedWorker } from "./run-workers.ts";

/** Starts a worker that runs a notebook, which it changes. */
export function startNotebook(notebook: Notebook, rank: number, options: Omit<RunOptions, "signal">): StartedWorker {
  const stopping = new AbortController();
  const run = async (): Promise<Ending> => {
    const { status, failed } = await runNotebook(notebook, { ...options, signal: stopping.signal });
    if (failed) {
      const { index, total, error } = failed;
      return { rank, fault: `failed in cell ${index + 1} of ${total}: ${error.ename}: ${error.evalue}` };
    }
    return { rank, fault: status === "ok" ? undefined : "was interrupted" };
  };
  return { ended: run(), stop: () => stopping.abort() };
}

/** The notebook for a worker whose outputs nobody sees; one type check, by the first worker, is enough. */
export function silentCopy(notebook: Notebook): Notebook {
  const copy = structuredClone(notebook);
  copy.metadata.halftone = { ...(copy.metadata.halftone as object | undefined), types: "off" };
  return copy;
}
