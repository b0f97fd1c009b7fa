import { execFileSync } from "node:child_process";
import os from "node:os";
import type { Session } from "../../kernel/session/session.ts";
import type { RuntimeInfo } from "../runtime/index.ts";
import { halftoneVersion, type InputFile, inputFiles, sourceHash } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";
import { packageVersions } from "./packages.ts";
import { type Parameters, parameterValues } from "./parameters.ts";

/** What a run stood on, kept in the notebook's metadata under `halftone`; environment.md explains it. */
export interface RunRecord {
  version: string;
  /** A short hash over the program's own files. */
  build: string;
  /** What was run: where it lies, as seen from the executed copy, and a hash over what a person wrote in it. */
  source: { path?: string; sha256: string };
  /** The files that the notebook names, by their path from its folder. */
  inputs: Record<string, InputFile>;
  /** The packages that its cells import, with the versions that they got. */
  packages: Record<string, string>;
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
  /** The variables that were set and decide how TensorFlow and Halftone compute. */
  variables?: Record<string, string>;
  /** ISO 8601. */
  start: string;
  end?: string;
  status: RunStatus;
}

export type RunStatus = "running" | "ok" | "error" | "interrupted";

export interface RecordOptions {
  /** The notebook's own folder, whose git commit is recorded. */
  folder: string;
  /** Where its packages are, when not there. */
  sandbox?: string | undefined;
  /** The notebook's path as seen from its executed copy. */
  source?: string | undefined;
  env: NodeJS.ProcessEnv;
}

export function startRecord(notebook: Notebook, { folder, sandbox = folder, source, env }: RecordOptions): RunRecord {
  const parameters = parameterValues(notebook);
  const seeds = Object.fromEntries(Object.entries(parameters).filter(([name]) => /seed$/i.test(name)));
  const cpus = os.cpus();
  return {
    ...halftoneVersion(),
    source: { ...(source === undefined ? {} : { path: source }), sha256: sourceHash(notebook) },
    inputs: inputFiles(notebook, folder),
    packages: packageVersions(notebook, sandbox),
    node: process.version,
    platform: `${os.type()} ${os.release()} ${process.arch}`,
    cpu: { model: cpus[0]?.model.trim() ?? "unknown", cores: os.availableParallelism() },
    memory: os.totalmem(),
    ...gitState(folder),
    parameters,
    ...(Object.keys(seeds).length > 0 ? { seeds } : {}),
    ...variables(env),
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

function variables(env: NodeJS.ProcessEnv): Pick<RunRecord, "variables"> {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      /^(TF_|OMP_|CUDA_VISIBLE|NVIDIA_TF32|HALFTONE_(BACKEND|TYPES)|NODE_OPTIONS)/.test(entry[0]) &&
      entry[1] !== undefined,
  );
  return set.length > 0 ? { variables: Object.fromEntries(set.sort(([a], [b]) => (a < b ? -1 : 1))) } : {};
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
