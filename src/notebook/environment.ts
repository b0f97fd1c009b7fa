import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import type { Session } from "../../kernel/session/session.ts";
import type { RuntimeInfo } from "../runtime/index.ts";
import type { Notebook } from "./nbformat.ts";
import { type Parameters, parameterValues } from "./parameters.ts";

/** What a run stood on, kept in the notebook's metadata under `halftone`; environment.md explains it. */
export interface RunRecord {
  version: string;
  node: string;
  platform: string;
  cpu: { model: string; cores: number };
  /** The machine's memory in bytes. */
  memory: number;
  /** What the tensor library computed on, when the notebook loaded it. */
  runtime?: Omit<RuntimeInfo, "library"> & { librarySha256?: string };
  /** The most native memory that tensors held at once, in bytes, when the library was loaded. */
  nativePeak?: number;
  git?: { commit: string; dirty: boolean };
  /** The values in force: the parameters cell's literal defaults, then what the run was given. */
  parameters: Parameters;
  seeds?: Parameters;
  /** ISO 8601. */
  start: string;
  end?: string;
  status: RunStatus;
}

export type RunStatus = "running" | "ok" | "error" | "interrupted";

/** @param folder the notebook's own, whose git commit is recorded */
export function startRecord(notebook: Notebook, folder: string): RunRecord {
  const parameters = parameterValues(notebook);
  const seeds = Object.fromEntries(Object.entries(parameters).filter(([name]) => /seed$/i.test(name)));
  const cpus = os.cpus();
  return {
    version: halftoneVersion(),
    node: process.version,
    platform: `${os.type()} ${os.release()} ${process.arch}`,
    cpu: { model: cpus[0]?.model.trim() ?? "unknown", cores: os.availableParallelism() },
    memory: os.totalmem(),
    ...gitState(folder),
    parameters,
    ...(Object.keys(seeds).length > 0 ? { seeds } : {}),
    start: new Date().toISOString(),
    status: "running",
  };
}

/** Asks the session what its tensor library ran on, without loading the library into a notebook that did not. */
export async function runtimeRecord(session: Session): Promise<Pick<RunRecord, "runtime" | "nativePeak">> {
  let told: { info?: RuntimeInfo; peak?: number } = {};
  await session.execute(ASK, {
    silent: true,
    onOutput: (said) => {
      if (said.type === "display") told = (said.data["application/json"] ?? {}) as typeof told;
    },
  });
  return {
    ...(told.info ? { runtime: withoutPath(told.info) } : {}),
    ...(told.peak !== undefined ? { nativePeak: told.peak } : {}),
  };
}

/** Where the library lies on this machine is nobody else's business; its hash says which one it was. */
function withoutPath({ library, ...info }: RuntimeInfo): RunRecord["runtime"] {
  return { ...info, ...(library ? { librarySha256: library.sha256 } : {}) };
}

const ASK = `{
  const on = globalThis as unknown as Record<symbol, any>;
  const runtime = on[Symbol.for("halftone.runtime")];
  if (runtime) {
    const told = { info: runtime.runtimeInfo(), peak: runtime.nativeMemory().peak };
    on[Symbol.for("halftone.display")]({ "application/json": told });
  }
}`;

function halftoneVersion(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function gitState(folder: string): { git?: { commit: string; dirty: boolean } } {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 10_000,
    });
  try {
    return { git: { commit: git("rev-parse", "HEAD").trim(), dirty: git("status", "--porcelain", ".").trim() !== "" } };
  } catch {
    return {}; // No git, no repository, or one without a commit.
  }
}
