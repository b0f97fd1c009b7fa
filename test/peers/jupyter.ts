/** Jupyter's own programs, in an environment made once, that know this kernel and nothing of the machine's own Jupyter. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "../../kernel/kernelspec/kernelspec.ts";
import { venv } from "../../kernel/kernelspec/venv.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** This folder in the sources, where the Python files are. */
export const peers = fileURLToPath(new URL("../../../test/peers", import.meta.url));

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Jupyter {
  /** An empty folder, gone after the tests. */
  folder: string;
  env: NodeJS.ProcessEnv;
  bin(name: string): string;
  /** Runs a program of the environment in `cwd`, by default `folder`, for at most `timeout` milliseconds (default five minutes). */
  run(name: string, args: string[], options?: { timeout?: number; input?: string; cwd?: string }): Promise<Ran>;
  /** Writes an nbformat 4.5 notebook of code cells, and says its path. */
  notebook(name: string, cells: (string | { source: string; tags: string[] })[]): string;
}

export async function jupyter(): Promise<Jupyter> {
  const python = await venv(path.join(peers, "requirements.txt"), console.log);
  const folder = temporaryFolder();
  const at = (...names: string[]): string => path.join(folder, ".jupyter", ...names);
  // The environment is shared among checkouts: its papermill plug-in is the same in all, the kernelspec is this one's own.
  install({ kind: "prefix", folder: python.folder });
  install({ kind: "prefix", folder: at() });
  const env = {
    ...process.env,
    // On every CPU TensorFlow then has to say what it says by itself on some: "oneDNN custom operations are on".
    TF_ENABLE_ONEDNN_OPTS: "1",
    PATH: `${path.dirname(python.bin("python"))}${path.delimiter}${process.env.PATH}`,
    JUPYTER_PATH: at("share", "jupyter"),
    JUPYTER_DATA_DIR: at("data"),
    JUPYTER_RUNTIME_DIR: at("runtime"),
    JUPYTER_CONFIG_DIR: at("config"),
    IPYTHONDIR: at("ipython"),
    HALFTONE_HISTORY: at("history.jsonl"),
    PYTHONWARNINGS: "ignore",
    VIRTUAL_ENV: python.folder,
  };
  mkdirSync(env.JUPYTER_RUNTIME_DIR, { recursive: true });
  return {
    folder,
    env,
    bin: python.bin,
    run: (name, args, options = {}) => run(python.bin(name), args, { cwd: folder, env, ...options }),
    notebook: (name, cells) => {
      const file = path.join(folder, name);
      writeFileSync(file, JSON.stringify(notebookOf(cells), null, 1));
      return file;
    },
  };
}

function run(
  command: string,
  args: string[],
  { cwd, env, timeout = 300_000, input }: { cwd: string; env: NodeJS.ProcessEnv; timeout?: number; input?: string },
): Promise<Ran> {
  const child = spawn(command, args, { cwd, env, timeout, stdio: ["pipe", "pipe", "pipe"] });
  const ran: Ran = { status: null, stdout: "", stderr: "" };
  child.stdin.end(input ?? "");
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ran.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    ran.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...ran, status }));
  });
}

function notebookOf(cells: (string | { source: string; tags: string[] })[]): object {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: "halftone", display_name: "TypeScript (Halftone)", language: "typescript" },
      language_info: { name: "typescript", file_extension: ".ts" },
    },
    cells: cells.map((cell, index) => ({
      id: `cell-${index}`,
      cell_type: "code",
      metadata: typeof cell === "string" ? {} : { tags: cell.tags },
      source: typeof cell === "string" ? cell : cell.source,
      execution_count: null,
      outputs: [],
    })),
  };
}
