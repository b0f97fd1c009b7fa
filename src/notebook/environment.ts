import { execFileSync } from "node:child_process";
import os from "node:os";
import type { Session } from "../../kernel/session/session.ts";
import type { RuntimeInfo } from "../runtime/index.ts";
import { halftoneVersion, inputFiles, sourceHash } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";
import { type PackagePlaces, packageVersions } from "./packages.ts";
import { parameterValues } from "./parameters.ts";
import type { RunRecord } from "./record.ts";
import { recordedVariables } from "./variables.ts";

/** The git commit of the notebook's folder is recorded. */
export interface RecordOptions extends PackagePlaces {
  /** The notebook's path as seen from its executed copy. */
  source?: string | undefined;
  env: NodeJS.ProcessEnv;
}

export function startRecord(notebook: Notebook, { source, env, ...places }: RecordOptions): RunRecord {
  const { folder } = places;
  const parameters = parameterValues(notebook);
  const seeds = Object.fromEntries(Object.entries(parameters).filter(([name]) => /seed$/i.test(name)));
  const cpus = os.cpus();
  return {
    ...halftoneVersion(),
    source: { ...(source === undefined ? {} : { path: source }), sha256: sourceHash(notebook) },
    inputs: inputFiles(notebook, folder),
    packages: packageVersions(notebook, places),
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

/** Reads from the session which backend its tensor library used. Does not load the library if the notebook did not. */
export async function runtimeRecord(session: Session): Promise<Pick<RunRecord, "runtime" | "nativePeak">> {
  let answer: { info?: RuntimeInfo; peak?: number } = {};
  await session.execute(RUNTIME_QUERY, {
    silent: true,
    onOutput: (output) => {
      if (output.type === "display") answer = (output.data["application/json"] ?? {}) as typeof answer;
    },
  });
  return {
    ...(answer.info ? { runtime: withoutPath(answer.info) } : {}),
    ...(answer.peak !== undefined ? { nativePeak: answer.peak } : {}),
  };
}

/** Replaces the library's path, which is private to this machine, by its hash. */
function withoutPath({ library, ...info }: RuntimeInfo): RunRecord["runtime"] {
  return { ...info, ...(library ? { librarySha256: library.sha256 } : {}) };
}

const RUNTIME_QUERY = `{
  const globals = globalThis as unknown as Record<symbol, any>;
  const runtime = globals[Symbol.for("halftone.runtime")];
  if (runtime) {
    const answer = { info: runtime.runtimeInfo(), peak: runtime.processPeak() };
    globals[Symbol.for("halftone.display")]({ "application/json": answer });
  }
}`;

function variables(env: NodeJS.ProcessEnv): Pick<RunRecord, "variables"> {
  const recorded = recordedVariables(env);
  return Object.keys(recorded).length > 0 ? { variables: recorded } : {};
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
